using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>
/// The configuration of a sandbox. Immutable: use a <c>with</c> expression to change a copy. Values are checked when they
/// are set; whether the guest fits is checked when a sandbox is built.
/// </summary>
public sealed record SandboxConfiguration
{
    /// <summary>Smallest input or output buffer, in bytes.</summary>
    public const int MinimumBufferSize = 0x2000;

    /// <summary>Largest input or output buffer, in bytes: 1 GiB.</summary>
    public const int MaximumBufferSize = 0x4000_0000;

    /// <summary>
    /// Largest heap, in bytes: 4076 MiB less 12 KiB, that of a guest of one page without init data. Code, heap and init data
    /// are one range that ends below 0xFEC00000, where guest physical addresses begin that are not memory on every
    /// hypervisor. A heap that does not fit with a larger guest fails the build with <see cref="MemoryRequestException"/>,
    /// whose message has the largest heap of that guest.
    /// </summary>
    public const ulong MaximumHeapSize = 0xFEBF_D000;

    /// <summary>Largest scratch memory, in bytes: 16 GiB less a page.</summary>
    public const ulong MaximumScratchSize = 0x3_FFFF_F000;

    /// <summary>The largest number of file mappings of a sandbox with <see cref="FileMappingTable"/>.</summary>
    public const int MaximumFileMappings = 32;

    /// <summary>The largest <see cref="GuestLogRate"/>.</summary>
    public const int MaximumGuestLogRate = 1_000_000;

    // Page tables, stack, exception stack, and the data of a guest that it changes.
    private const ulong ScratchOverhead = 0x2_0000;

    private readonly ulong? _scratchSize;

    /// <summary>
    /// Size of the buffer for calls and for results of host functions, in bytes. Default 16 KiB. The largest message is 16
    /// bytes smaller. Host memory is committed when it is used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below <see cref="MinimumBufferSize"/> or above <see cref="MaximumBufferSize"/>.</exception>
    public int InputBufferSize
    {
        get;
        init => field = CheckBuffer(value, nameof(InputBufferSize));
    } = 0x4000;

    /// <summary>
    /// Size of the buffer for results and for calls of host functions, in bytes. Default 16 KiB. The largest message is 16
    /// bytes smaller.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below <see cref="MinimumBufferSize"/> or above <see cref="MaximumBufferSize"/>.</exception>
    public int OutputBufferSize
    {
        get;
        init => field = CheckBuffer(value, nameof(OutputBufferSize));
    } = 0x4000;

    /// <summary>
    /// Bytes of the guest's heap. Default 128 KiB. The guest cannot allocate more. The page tables take another 1/512 of it in
    /// scratch memory.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, or above <see cref="MaximumHeapSize"/>.</exception>
    public ulong HeapSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfZero(value, nameof(HeapSize));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumHeapSize, nameof(HeapSize));
            field = value;
        }
    } = 0x2_0000;

    /// <summary>
    /// Bytes of all memory that the guest can write: buffers, page tables, copies of pages it changes, stack. Default: what
    /// the buffers and a heap in use take (<see cref="InputBufferSize"/>, <see cref="OutputBufferSize"/>,
    /// <see cref="HeapSize"/> and 1/512 of it for page tables), and 128 KiB; that is 288 KiB if none of them is set. Leave it
    /// unset unless the guest has much data of its own or needs much stack. A guest that changes more of its memory than fits
    /// ends with an abort that says so. Memory of the host is committed only as it is used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, not a multiple of <see cref="GuestPage.Size"/>, or above <see cref="MaximumScratchSize"/>.</exception>
    public ulong ScratchSize
    {
        get => _scratchSize ?? DerivedScratchSize;
        init
        {
            ArgumentOutOfRangeException.ThrowIfZero(value, nameof(ScratchSize));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumScratchSize, nameof(ScratchSize));
            if (!GuestPage.IsAligned(value))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(ScratchSize), value, $"The scratch size must be a multiple of {GuestPage.Size} bytes.");
            }

            _scratchSize = value;
        }
    }

    /// <summary>Which guest ABI versions are accepted. Default <see cref="GuestVersionPolicy.Compatible"/>.</summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public GuestVersionPolicy AcceptedGuestVersions
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(AcceptedGuestVersions));
            field = value;
        }
    } = GuestVersionPolicy.Compatible;

    /// <summary>
    /// The most verbose level at which the guest logs. The guest gets it when it starts, and when it starts from or is restored to
    /// a snapshot. The host drops more verbose records. Default
    /// <see langword="null"/>: what the sandbox's logger has enabled for the category <c>Hyperlight.Guest</c>, or errors
    /// only without a logger. Verbose logging costs a VM exit for each record.
    /// </summary>
    public GuestLogLevel? GuestLogLevel { get; init; }

    /// <summary>
    /// The largest number of log records that the guest writes in a second, including lines that it prints if these are logged.
    /// Default 1000. Further records are dropped; a warning says how many, at most once in a second.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1, or above <see cref="MaximumGuestLogRate"/>.</exception>
    public int GuestLogRate
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(GuestLogRate));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumGuestLogRate, nameof(GuestLogRate));
            field = value;
        }
    } = 1000;

    /// <summary>
    /// Whether the guest can find its file mappings by label, in a table after its process environment block. Default <see
    /// langword="false"/>: the guest gets addresses in other ways, for example as arguments of a call. A sandbox with the
    /// table has at most <see cref="MaximumFileMappings"/> file mappings.
    /// </summary>
    public bool FileMappingTable { get; init; }

    /// <summary>
    /// Whether the guest can execute code on its heap, such as code that it generates. Default <see langword="false"/>: a
    /// jump to the heap is a page fault. With an executable heap, an attacker who can write to the heap through an error of
    /// the guest can execute code in the guest; the isolation of the sandbox is not affected. The setting is part of
    /// snapshots.
    /// </summary>
    public bool ExecutableHeap { get; init; }

    /// <summary>
    /// Whether the guest can have a timer, that of the guest ABI's optional hardware interrupts. Default <see langword="false"/>: a
    /// write to its I/O port ends the call. A guest that writes a period in microseconds to port 107 is interrupted with vector
    /// 0x20 each time the period has passed, until it writes 0, or the call ends. The period is at least 100 microseconds, and in
    /// practice the millisecond of the host's clock; at most 10 seconds. While a timer runs and interrupts are on, HLT waits for the
    /// next one instead of ending the call, and the wait counts as CPU time. What a guest does is not repeatable with a timer, also
    /// with <see cref="RandomSeed"/>. The driver must be one whose <see cref="IHypervisor.InjectsInterrupts"/> is set.
    /// </summary>
    public bool GuestTimer { get; init; }

    /// <summary>
    /// Whether the guest does without its timer where there cannot be one: on a driver that does not inject interrupts, or with a
    /// seed, as runs would not be repeatable.
    /// </summary>
    internal bool IsGuestTimerOptional { get; init; }

    /// <summary>
    /// The seed of everything that differs from run to run, for runs that can be repeated. Default <see langword="null"/>: the
    /// guest is given other random bits in each sandbox and after each restore, from the operating system. With a value, a
    /// guest draws the same random numbers in every run, and after every restore the same ones again: code that knows the
    /// value can predict them. On the emulator every source of random numbers and time follows from it, RDRAND, RDSEED and the
    /// time-stamp counter included, which counts instructions then: sandboxes with one seed that get the same calls do the
    /// same, byte for byte. On KVM the guest's given bits follow from it and nothing else: the processor's random numbers and
    /// its time-stamp counter differ.
    /// </summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>
    /// Which model-specific registers the guest may use. Default <see cref="MsrPolicy.Default"/>: those of system calls and
    /// few others. More are permitted by <see cref="MsrPolicy.With"/>, and none by <see cref="MsrPolicy.None"/>. Registers
    /// that the guest can write are part of snapshots, and are restored with them; all others raise #GP in the guest. A
    /// snapshot with values of additional registers cannot be used by a sandbox that does not permit these.
    /// </summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public MsrPolicy GuestMsrs
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(GuestMsrs));
            field = value;
        }
    } = MsrPolicy.Default;

    /// <summary>
    /// The limits of each call, and of the guest's initialisation. Default <see cref="CallBudget.Unlimited"/>: a hostile guest can
    /// occupy the calling thread indefinitely. A call that exceeds a limit ends with a <see cref="BudgetExceededException"/> and
    /// poisons the sandbox. A call can have further limits; the tightest of each kind applies.
    /// </summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public CallBudget Budget
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Budget));
            field = value;
        }
    } = CallBudget.Unlimited;

    /// <summary>The scratch memory that the buffers and the heap need.</summary>
    internal ulong DerivedScratchSize =>
        GuestPage.RoundUp((ulong)InputBufferSize + (ulong)OutputBufferSize)
        + GuestPage.RoundUp(HeapSize)
        + (HeapSize / 512 / GuestPage.Size * GuestPage.Size)
        + ScratchOverhead;

    private static int CheckBuffer(int value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, MinimumBufferSize, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumBufferSize, name);
        return value;
    }
}

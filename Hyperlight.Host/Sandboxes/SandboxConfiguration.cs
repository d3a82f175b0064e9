using Hyperlight.Abstractions;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <summary>
/// The sizes of a sandbox and what it accepts. Immutable: derive a variant with a <c>with</c> expression. Values are checked
/// when they are set; what depends on the guest (whether everything fits) is checked when a sandbox is built.
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

    /// <summary>Most file mappings of a sandbox whose guest finds them in a table: see <see cref="FileMappingTable"/>.</summary>
    public const int MaximumFileMappings = 32;

    // Page tables, stack, exception stack, and the data of a guest that it changes.
    private const ulong ScratchOverhead = 0x2_0000;

    private readonly ulong? _scratchSize;

    /// <summary>
    /// Bytes of the buffer through which calls and host functions' results reach the guest. Default 16 KiB. A message may
    /// have 16 bytes less. Memory of the host is committed only as it is used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below <see cref="MinimumBufferSize"/> or above <see cref="MaximumBufferSize"/>.</exception>
    public int InputBufferSize
    {
        get;
        init => field = CheckBuffer(value, nameof(InputBufferSize));
    } = 0x4000;

    /// <summary>
    /// Bytes of the buffer through which results and calls of host functions reach the host. Default 16 KiB. A message may
    /// have 16 bytes less.
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
    /// The most verbose level the guest may log at; it is handed to the guest when it starts. Default
    /// <see langword="null"/>: what the sandbox's logger has enabled for the category <c>Hyperlight.Guest</c>, or errors
    /// only without a logger. Verbose logging costs a VM exit for each record.
    /// </summary>
    public GuestLogLevel? GuestLogLevel { get; init; }

    /// <summary>
    /// Whether the guest can find its file mappings by label, in a table behind its process environment block. Default
    /// <see langword="false"/>: the guest sees the block that every guest knows, and learns addresses in some other way, for
    /// example as arguments of a call. A sandbox with the table has at most <see cref="MaximumFileMappings"/> file mappings.
    /// </summary>
    public bool FileMappingTable { get; init; }

    /// <summary>
    /// Whether the guest can execute what it has on its heap, such as code that it generates. Default <see langword="false"/>:
    /// the heap is data, and a jump into it is a page fault. With it, a guest that is made to write where it should not can
    /// be made to execute what was written; the sandbox around it holds all the same. Snapshots keep it.
    /// </summary>
    public bool ExecutableHeap { get; init; }

    /// <summary>
    /// The random bits that the guest is given, for runs that can be repeated. Default <see langword="null"/>: others for each
    /// sandbox and after each restore, from the operating system. With a value, a guest draws the same random numbers in every
    /// run, and after every restore the same ones again: anyone who knows the value can predict them.
    /// </summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>
    /// Which model-specific registers the guest may use. Default <see cref="MsrPolicy.Default"/>: those of system calls and
    /// few others. More are permitted by <see cref="MsrPolicy.With"/>, and none by <see cref="MsrPolicy.None"/>. What the
    /// guest may write is part of snapshots, and put back when one is restored; everything else is #GP to the guest. A
    /// snapshot with values of further registers cannot be used by a sandbox that does not permit them.
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
    /// How many instructions the guest may execute in one call, and in its initialisation. Default <see langword="null"/>: as
    /// many as it takes. A guest that needs more ends with <see cref="InstructionBudgetExhaustedException"/>, at the same
    /// instruction every time. Only drivers that count instructions can do this, such as the emulator; on others building
    /// the sandbox fails.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public long? InstructionBudget
    {
        get;
        init
        {
            if (value is { } budget)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget, nameof(InstructionBudget));
            }

            field = value;
        }
    }

    /// <summary>
    /// How long a call may take, host functions included, and the guest's initialisation. Default
    /// <see cref="Timeout.InfiniteTimeSpan"/>: as long as it takes, so that a hostile guest can occupy the calling thread for
    /// ever. What takes longer ends with <see cref="ExecutionCanceledException"/> soon after its limit, however busy the
    /// thread pool is, and poisons the sandbox. A limit that is passed to a call takes the place of this one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative and not infinite, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan CallTimeout
    {
        get;
        init => field = CallLimits.CheckTimeout(value, nameof(CallTimeout));
    } = Timeout.InfiniteTimeSpan;

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

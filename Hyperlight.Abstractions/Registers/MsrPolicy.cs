namespace Hyperlight.Abstractions;

/// <summary>
/// The model-specific registers that a guest can read and write, on every driver. All others raise #GP in the guest. A
/// restore resets all registers that the guest can write. Immutable.
/// </summary>
/// <remarks>
/// If the hypervisor cannot deny registers (MSHV, KVM before Linux 5.10), a restore resets all registers that a guest can write.
/// </remarks>
public sealed class MsrPolicy : IEquatable<MsrPolicy>
{
    /// <summary>The largest number of additional registers.</summary>
    public const int MaximumAdditional = 16;

    private const uint TimeStampCounter = 0x10;
    private const uint ApicBase = 0x1B;
    private const uint MiscEnable = 0x1A0;
    private const uint Efer = 0xC000_0080;
    private const uint FsBase = 0xC000_0100;
    private const uint GsBase = 0xC000_0101;
    private const uint KernelGsBase = 0xC000_0102;

    /// <summary>SYSENTER_CS, _ESP, _EIP, PAT, EFER, STAR, LSTAR, CSTAR, SFMASK, the bases of FS and GS, TSC_AUX.</summary>
    private static readonly uint[] Open =
    [
        0x174, 0x175, 0x176, 0x277, Efer, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, FsBase, GsBase, KernelGsBase,
        0xC000_0103,
    ];

    /// <summary>Registers that a guest can read: they have no more information than RDTSC and CPUID.</summary>
    private static readonly uint[] OpenForReading = [TimeStampCounter, ApicBase, MiscEnable];

    /// <summary>Registers that instructions other than WRMSR change, independently of the policy: SWAPGS.</summary>
    private static readonly uint[] ChangedByInstructions = [KernelGsBase];

    /// <summary>What is among <see cref="SpecialRegisters"/>, and put back with them.</summary>
    private static readonly uint[] Special = [Efer, FsBase, GsBase];

    private readonly uint[] _readable;
    private readonly uint[] _writable;
    private readonly uint[] _additional;

    private MsrPolicy(uint[] readable, uint[] writable, uint[] additional)
    {
        _readable = readable;
        _writable = writable;
        _additional = additional;
        Restored = Sorted(writable.Union(ChangedByInstructions).Except(Special));
    }

    /// <summary>
    /// A guest may read and write the registers of system calls, the bases of FS and GS, PAT, EFER and TSC_AUX, and read the
    /// time-stamp counter, the APIC base and IA32_MISC_ENABLE.
    /// </summary>
    public static MsrPolicy Default { get; } = new(Sorted(Open.Union(OpenForReading)), Sorted(Open), []);

    /// <summary>A guest may neither read nor write any register.</summary>
    public static MsrPolicy None { get; } = new([], [], []);

    /// <summary>The registers that RDMSR can read, in ascending order.</summary>
    public IReadOnlyList<uint> Readable => _readable;

    /// <summary>The registers that WRMSR can write, in ascending order.</summary>
    public IReadOnlyList<uint> Writable => _writable;

    /// <summary>What <see cref="With"/> has added to the registers of <see cref="Default"/> or <see cref="None"/>, in ascending order.</summary>
    public IReadOnlyList<uint> Additional => _additional;

    /// <summary>
    /// The registers that a guest can change under this policy and that a restore has to reset, except those in <see
    /// cref="SpecialRegisters"/>, in ascending order.
    /// </summary>
    public IReadOnlyList<uint> Restored { get; }

    /// <summary>
    /// A policy that permits further registers, for reading and writing. Their values are part of snapshots.
    /// </summary>
    /// <param name="registers">The registers' numbers; what the policy permits already is ignored.</param>
    /// <exception cref="GuestMsrException">
    /// A register cannot be permitted, or there are more than <see cref="MaximumAdditional"/>.
    /// </exception>
    public MsrPolicy With(params ReadOnlySpan<uint> registers)
    {
        var additional = new SortedSet<uint>(_additional);
        foreach (uint register in registers)
        {
            if (MsrDeclaration.FindProblem(register) is { } problem)
            {
                throw new GuestMsrException(register, problem);
            }

            if (!MayWrite(register) && additional.Add(register) && additional.Count > MaximumAdditional)
            {
                throw new GuestMsrException(register, GuestMsrProblem.TooMany);
            }
        }

        return new MsrPolicy(Sorted(_readable.Union(additional)), Sorted(_writable.Union(additional)), [.. additional]);
    }

    /// <summary>Whether RDMSR may read a register.</summary>
    /// <param name="index">The register's number.</param>
    public bool MayRead(uint index) => Array.BinarySearch(_readable, index) >= 0;

    /// <summary>Whether WRMSR may write a register.</summary>
    /// <param name="index">The register's number.</param>
    public bool MayWrite(uint index) => Array.BinarySearch(_writable, index) >= 0;

    /// <summary>Checks that a hypervisor has the <see cref="Additional"/> registers.</summary>
    /// <param name="driver">The driver's name, for the error.</param>
    /// <param name="isSupported">Whether the hypervisor has a register, and the driver can put it back.</param>
    /// <exception cref="GuestMsrException">It does not have one of them.</exception>
    public void CheckAdditional(string driver, Func<uint, bool> isSupported)
    {
        ArgumentNullException.ThrowIfNull(driver);
        ArgumentNullException.ThrowIfNull(isSupported);
        foreach (uint index in _additional)
        {
            if (!isSupported(index))
            {
                throw new GuestMsrException(index, GuestMsrProblem.NotSupported, driver);
            }
        }
    }

    /// <summary>Whether both permit the same.</summary>
    /// <param name="other">Another policy.</param>
    public bool Equals(MsrPolicy? other) =>
        other is not null && _readable.AsSpan().SequenceEqual(other._readable) && _writable.AsSpan().SequenceEqual(other._writable)
        && _additional.AsSpan().SequenceEqual(other._additional);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MsrPolicy);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (uint register in _readable)
        {
            hash.Add(register);
        }

        return hash.ToHashCode();
    }

    private static uint[] Sorted(IEnumerable<uint> registers) => [.. registers.Order()];
}

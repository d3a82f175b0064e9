namespace Hyperlight.Abstractions;

/// <summary>Properties of a virtual machine that are fixed when it is created.</summary>
public readonly record struct VirtualMachineOptions
{
    /// <summary>Creates the options with their defaults.</summary>
    public VirtualMachineOptions()
    {
    }

    /// <summary>
    /// Width of guest physical addresses that CPUID leaf 0x8000_0008 reports, in bits. Default 36, the width of the guest ABI.
    /// </summary>
    public byte PhysicalAddressBits { get; init; } = 36;

    /// <summary>Which model-specific registers the guest may use. Default <see cref="MsrPolicy.Default"/>.</summary>
    public MsrPolicy Msrs
    {
        get => field ?? MsrPolicy.Default;
        init;
    }

    /// <summary>
    /// The seed of everything that differs from run to run, for runs that can be repeated. Default <see langword="null"/>: the
    /// guest has true random numbers and the time. A driver that emulates the processor derives random numbers of its
    /// instructions from the seed, and the time-stamp counter from the number of instructions executed; one that runs the
    /// guest on a processor cannot, and ignores the seed.
    /// </summary>
    public ulong? RandomSeed { get; init; }
}

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
}

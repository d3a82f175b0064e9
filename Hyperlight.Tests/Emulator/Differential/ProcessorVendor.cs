using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Who made a processor.</summary>
internal enum ProcessorVendor
{
    /// <summary>Someone else: what any vendor does differently is accepted.</summary>
    Other,
    Amd,
    Intel,
}

/// <summary>Who made the processor of this machine.</summary>
internal static class NativeVendor
{
    public static ProcessorVendor Current { get; } = HostProcessor.Vendor switch
    {
        "AuthenticAMD" => ProcessorVendor.Amd,
        "GenuineIntel" => ProcessorVendor.Intel,
        _ => ProcessorVendor.Other,
    };
}

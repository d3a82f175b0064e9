namespace Hyperlight.Host.Protocol;

/// <summary>The processor exceptions that a guest reports when it aborts.</summary>
internal static class GuestException
{
    private static readonly string[] Names =
    [
        "DivideByZero", "Debug", "NonMaskableInterrupt", "Breakpoint", "Overflow", "BoundRangeExceeded", "InvalidOpcode",
        "DeviceNotAvailable", "DoubleFault", "CoprocessorSegmentOverrun", "InvalidTSS", "SegmentNotPresent",
        "StackSegmentFault", "GeneralProtectionFault", "PageFault", "Reserved", "X87FloatingPointException",
        "AlignmentCheck", "MachineCheck", "SIMDFloatingPointException", "VirtualizationException",
    ];

    private const byte SecurityException = 30;

    /// <summary>The exception's name, or <see langword="null"/> if the number is none of an exception.</summary>
    public static string? NameOf(byte vector) =>
        vector < Names.Length ? Names[vector] : vector == SecurityException ? nameof(SecurityException) : null;
}

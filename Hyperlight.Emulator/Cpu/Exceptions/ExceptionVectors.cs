namespace Hyperlight.Emulator.Cpu;

/// <summary>The vectors of exceptions.</summary>
internal static class ExceptionVectors
{
    public const byte DivideError = 0;
    public const byte DebugVector = 1;
    public const byte Breakpoint = 3;
    public const byte InvalidOpcode = 6;
    public const byte DeviceNotAvailable = 7;
    public const byte DoubleFault = 8;
    public const byte InvalidTss = 10;
    public const byte SegmentNotPresent = 11;
    public const byte StackFaultVector = 12;
    public const byte GeneralProtection = 13;
    public const byte PageFaultVector = 14;
    public const byte MathFault = 16;
    public const byte SimdFault = 19;

    public const byte AlignmentCheckVector = 17;
    public const byte ControlProtection = 21;
}

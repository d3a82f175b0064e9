namespace Hyperlight.Emulator.Cpu;

/// <summary>Bits of DR6 and DR7.</summary>
internal static class DebugBits
{
    public const ulong Dr6Fixed = 0xFFFF_0FF0;
    public const ulong Dr6Hits = 0xF;
    public const ulong Dr6AccessDetected = 1 << 13;
    public const ulong Dr6SingleStep = 1 << 14;
    public const ulong Dr6Bits = Dr6Hits | Dr6AccessDetected | Dr6SingleStep | (1 << 15);

    /// <summary>DR7 after a reset.</summary>
    public const ulong Dr7Fixed = 0x400;
    public const ulong Dr7Enables = 0xFF;
    public const ulong Dr7GeneralDetect = 1 << 13;
}

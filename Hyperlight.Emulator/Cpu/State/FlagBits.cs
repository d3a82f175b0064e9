namespace Hyperlight.Emulator.Cpu;

/// <summary>Bits of RFLAGS.</summary>
internal static class FlagBits
{
    public const ulong FlagCarry = 1 << 0;
    public const ulong FlagParity = 1 << 2;
    public const ulong FlagAdjust = 1 << 4;
    public const ulong FlagZero = 1 << 6;
    public const ulong FlagSign = 1 << 7;
    public const ulong FlagTrap = 1 << 8;
    public const ulong FlagInterrupt = 1 << 9;
    public const ulong FlagDirection = 1 << 10;
    public const ulong FlagOverflow = 1 << 11;
    public const ulong FlagIoPrivilege = 3 << 12;
    public const ulong FlagNestedTask = 1 << 14;
    public const ulong FlagResume = 1 << 16;
    public const ulong FlagAlignment = 1 << 18;
    public const ulong FlagIdentification = 1 << 21;
    public const ulong ArithmeticFlags = FlagCarry | FlagParity | FlagAdjust | FlagZero | FlagSign | FlagOverflow;

    /// <summary>TF, IF, DF, IOPL, NT, RF, AC and ID.</summary>
    public const ulong OtherFlags = 0x25_7700;
}

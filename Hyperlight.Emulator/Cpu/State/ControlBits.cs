namespace Hyperlight.Emulator.Cpu;

/// <summary>Bits of CR0, CR4 and EFER.</summary>
internal static class ControlBits
{
    public const ulong Cr0MonitorCoprocessor = 1 << 1;
    public const ulong Cr0Emulation = 1 << 2;
    public const ulong Cr0TaskSwitched = 1 << 3;
    public const ulong Cr0NumericError = 1 << 5;
    public const ulong Cr0WriteProtect = 1 << 16;

    /// <summary>PE, MP, EM, TS, ET, NE, WP, AM, NW, CD and PG.</summary>
    public const ulong Cr0Bits = 0xE005_003F;

    /// <summary>PE and PG: what this processor cannot do without.</summary>
    public const ulong Cr0Required = 0x8000_0001;

    /// <summary>CR0 after a reset: ET, NW and CD.</summary>
    public const ulong Cr0Reset = 0x6000_0010;

    public const ulong Cr4TimeStampDisable = 1 << 2;
    public const ulong Cr4DebuggingExtensions = 1 << 3;
    public const ulong Cr4PhysicalAddressExtension = 1 << 5;
    public const ulong Cr4Global = 1 << 7;
    public const ulong Cr4FxsaveRestore = 1 << 9;
    public const ulong Cr4SimdExceptions = 1 << 10;
    public const ulong Cr4UserModeInstructionPrevention = 1 << 11;
    public const ulong Cr4FsGsBase = 1 << 16;
    public const ulong Cr4OsXsave = 1 << 18;
    public const ulong Cr4Smep = 1 << 20;
    public const ulong Cr4Smap = 1 << 21;

    /// <summary>TSD, DE, PSE, PAE, PGE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, OSXSAVE, SMEP and SMAP.</summary>
    public const ulong Cr4Bits = 0x35_0EBC;

    public const ulong EferSystemCalls = 1;
    public const ulong EferLongModeActive = 1 << 10;
    public const ulong EferNoExecute = 1 << 11;

    /// <summary>SCE, LME, LMA and NXE.</summary>
    public const ulong EferBits = 0xD01;
}

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the processor says about itself: no more than what it does.</summary>
internal static class Cpuid
{
    private const uint XsaveBit = 1 << 26;
    private const uint OsXsaveBit = 1 << 27;
    private const uint InvariantTimeStampCounter = 1 << 8;

    /// <summary>Bytes of the XSAVE area: the legacy part and the header.</summary>
    private const uint XsaveAreaSize = 576;

    /// <summary>Whose processor it is for snapshots, which have addresses and registers that other processors may not have.</summary>
    public const string Vendor = "HyperlightEm";

    public static (uint Eax, uint Ebx, uint Ecx, uint Edx) Read(
        uint leaf, uint subleaf, byte physicalAddressBits, bool isXsaveEnabled, bool isCounterSteady) => leaf switch
        {
            // GenuineIntel, in the order EBX, EDX, ECX: where the vendors differ, it is Intel's behaviour, and C libraries do not
            // look for features of vendors that they do not know.
            0 => (0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69),

            // Lines of 64 bytes for CLFLUSH. SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT, XSAVE, OSXSAVE if it is
            // enabled, and RDRAND; FPU, DE, PSE, TSC, MSR, PAE, CX8, SEP without use is left out, PGE, CMOV, PAT, PSE-36,
            // CLFSH, MMX, FXSR, SSE and SSE2.
            1 => (0x0000_0600, 0x0000_0800, 0x40D8_2201 | XsaveBit | (isXsaveEnabled ? OsXsaveBit : 0), 0x078B_A17D),

            // FSGSBASE, SMEP, RDSEED, SMAP; UMIP, RDPID.
            7 when subleaf == 0 => (0, 1 | (1 << 7) | (1 << 18) | (1 << 20), (1 << 2) | (1 << 22), 0),

            // The components of XCR0, and the size of their area; XSAVEOPT, XSAVEC and XGETBV with ECX of 1.
            0xD when subleaf == 0 => ((uint)XsaveComponents.SupportedComponents, XsaveAreaSize, XsaveAreaSize, 0),
            0xD when subleaf == 1 => (0b111, XsaveAreaSize, 0, 0),
            0x8000_0000 => (0x8000_0008, 0, 0, 0),

            // LAHF, LZCNT; SYSCALL, NX, 1 GiB pages, RDTSCP, long mode.
            0x8000_0001 => (0, 0, 1 | (1 << 5), (1 << 11) | (1 << 20) | (1 << 26) | (1 << 27) | (1 << 29)),

            // Whether the time-stamp counter always goes at the same rate: with a seed it counts instructions.
            0x8000_0007 => (0, 0, 0, isCounterSteady ? InvariantTimeStampCounter : 0),
            0x8000_0008 => (physicalAddressBits | (48u << 8), 0, 0, 0),
            _ => default,
        };
}

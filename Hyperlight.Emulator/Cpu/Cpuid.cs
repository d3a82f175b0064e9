namespace Hyperlight.Emulator.Cpu;

/// <summary>What the processor says about itself: no more than what it does.</summary>
internal static class Cpuid
{
    public static (uint Eax, uint Ebx, uint Ecx, uint Edx) Read(uint leaf, byte physicalAddressBits) => leaf switch
    {
        // "HyperlightEm", in the order EBX, EDX, ECX.
        0 => (1, 0x6570_7948, 0x6D45_7468, 0x6769_6C72),

        // Lines of 64 bytes for CLFLUSH. SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE and POPCNT; PSE, TSC, MSR, PAE, CX8,
        // SEP without use is left out, PGE, CMOV, PAT, PSE-36, CLFSH, FXSR, SSE and SSE2.
        1 => (0x0000_0600, 0x0001_0800, 0x00D8_2201, 0x070B_A178),
        0x8000_0000 => (0x8000_0008, 0, 0, 0),

        // LAHF, LZCNT; NX, 1 GiB pages, RDTSCP, long mode.
        0x8000_0001 => (0, 0, 1 | (1 << 5), (1 << 20) | (1 << 26) | (1 << 27) | (1 << 29)),
        0x8000_0008 => (physicalAddressBits | (48u << 8), 0, 0, 0),
        _ => default,
    };
}

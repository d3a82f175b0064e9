using System.Globalization;
using System.Text;

namespace Hyperlight.Abstractions;

/// <summary>
/// What of a processor guests are told by CPUID: one rule for every driver. Only what is named here is shown, so that a
/// feature of a later processor stays hidden until it is known what its state is and how it is put back.
/// </summary>
/// <remarks>
/// Shown are instructions that a program without an operating system can use. Hidden is what needs a register that guests
/// are denied, a device that is not there, or an interface of a hypervisor: VMX, SVM, x2APIC and the local APIC, CET, the
/// machine-check and memory-type-range registers, performance counters and tracing, MONITOR, the deadline timer, PCID,
/// 57-bit addresses, supervisor components of XSAVE, speculation control, SGX, memory encryption, the processor's topology,
/// and every paravirtual feature. A hypervisor may still execute an instruction that is hidden.
/// </remarks>
public static class GuestCpuid
{
    private const uint All = uint.MaxValue;

    /// <summary>In EAX of the cache leaves: what does not depend on how many processors share the cache.</summary>
    private const uint CacheWithoutTopology = 0x3FFF;

    /// <summary>x87, SSE, AVX, MPX, AVX-512, PKRU, AMX and APX: the components that XCR0 enables.</summary>
    private const uint UserComponents = 0x000E_02FF;

    /// <summary>In ECX of a component's subleaf: IA32_XSS enables it, not XCR0.</summary>
    private const uint IsSupervisorComponent = 1;

    /// <summary>XSAVEOPT, XSAVEC, and XGETBV with ECX = 1. XSAVES needs IA32_XSS.</summary>
    private const uint XsaveVariants = 0x7;

    private const uint InvariantTimeStampCounter = 1 << 8;

    /// <summary>
    /// The leaves, and their last subleaves, that say which instructions and state there are: the same on all processors of a machine, which caches
    /// and frequencies need not be.
    /// </summary>
    private static readonly (uint Leaf, uint LastSubleaf)[] FeatureLeaves =
    [
        (1, 0), (7, 1), (0xD, 31), (0x1D, 1), (0x1E, 0), (0x24, 0), (0x8000_0001, 0), (0x8000_0007, 0), (0x8000_0008, 0), (0x8000_0021, 0),
    ];

    /// <summary>
    /// What guests are told of a processor's model and features, as a text to be compared. Nothing in it says which of the processors of a machine it is.
    /// </summary>
    /// <param name="read">What the processor or the hypervisor has for a leaf and a subleaf; zeros if it does not have the leaf.</param>
    public static string Features(Func<uint, uint, CpuidRegisters> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var text = new StringBuilder();
        foreach ((uint leaf, uint lastSubleaf) in FeatureLeaves)
        {
            for (uint subleaf = 0; subleaf <= lastSubleaf; subleaf++)
            {
                CpuidRegisters shown = Restrict(leaf, subleaf, read(leaf, subleaf));
                text.Append(CultureInfo.InvariantCulture, $"{shown.Eax:X} {shown.Ebx:X} {shown.Ecx:X} {shown.Edx:X};");
            }
        }

        return text.ToString();
    }

    /// <summary>Removes what is hidden from guests.</summary>
    /// <param name="leaf">The leaf, EAX of CPUID.</param>
    /// <param name="subleaf">The subleaf, ECX of CPUID.</param>
    /// <param name="registers">What the processor or the hypervisor has.</param>
    public static CpuidRegisters Restrict(uint leaf, uint subleaf, CpuidRegisters registers)
    {
        CpuidRegisters mask = leaf == 0xD && subleaf > 1
            ? MaskOfComponent(subleaf, registers.Ecx)
            : Mask(leaf, subleaf);
        return new CpuidRegisters(
            registers.Eax & mask.Eax, registers.Ebx & mask.Ebx, registers.Ecx & mask.Ecx, registers.Edx & mask.Edx);
    }

    private static CpuidRegisters Mask(uint leaf, uint subleaf) => (leaf, subleaf) switch
    {
        // Vendor and highest leaf; caches; TSC frequency; AMX tiles; AVX10.
        (0 or 2 or 0x15 or 0x16 or 0x1D or 0x1E or 0x24, _) => Everything,

        // ECX: SSE3, PCLMULQDQ, SSSE3, FMA, CX16, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, OSXSAVE, AVX, F16C, RDRAND, and
        // that there is a hypervisor. EDX: FPU, VME, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, PSE-36, CLFSH, MMX,
        // FXSR, SSE, SSE2, SS.
        (1, _) => new(All, 0x0000_FFFF, 0xFED8_3203, 0x0F8B_A97F),
        (4 or 0x8000_001D, _) => new(CacheWithoutTopology, All, All, All),

        // EBX: FSGSBASE, BMI1, HLE, AVX2, FDP_EXCPTN_ONLY, SMEP, BMI2, ERMS, RTM, no FCS and FDS, AVX512F, DQ, RDSEED, ADX, SMAP,
        // IFMA, CLFLUSHOPT, CLWB, PF, ER, CD, SHA, BW, VL. ECX: PREFETCHWT1, VBMI, UMIP, PKU, OSPKE, VBMI2, GFNI, VAES,
        // VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ, RDPID, CLDEMOTE, MOVDIRI, MOVDIR64B. EDX: 4VNNIW, 4FMAPS, FSRM, VP2INTERSECT,
        // MD_CLEAR, SERIALIZE, TSXLDTRK, AMX_BF16, AVX512_FP16, AMX_TILE, AMX_INT8.
        (7, 0) => new(All, 0xFDBF_2BF9, 0x1A40_5F5F, 0x03C1_451C),

        // EAX: SHA512, SM3, SM4, AVX_VNNI, AVX512_BF16, CMPCCXADD, fast REP operations, AMX_FP16, AVX_IFMA. EDX: AVX_VNNI_INT8,
        // AVX_NE_CONVERT, AMX_COMPLEX, AVX_VNNI_INT16, PREFETCHI, AVX10.
        (7, 1) => new(0x00A0_1CB7, 0, 0, 0x0008_4530),
        (0xD, 0) => new(UserComponents, All, All, 0),
        (0xD, 1) => new(XsaveVariants, All, 0, 0),

        // Who the hypervisor is, but none of its features.
        (0x4000_0000, _) => Everything,

        // Highest leaf and vendor, brand, caches and TLBs, performance hints.
        (0x8000_0000 or (>= 0x8000_0002 and <= 0x8000_0006) or 0x8000_0019 or 0x8000_001A, _) => Everything,

        // ECX: LAHF, AltMovCr8, ABM, SSE4A, MisAlignSse, 3DNowPrefetch, XOP, FMA4, TBM. EDX: as leaf 1, SYSCALL, NX, MmxExt,
        // MMX, FXSR, FFXSR, 1 GiB pages, RDTSCP, long mode, 3DNow.
        (0x8000_0001, _) => new(All, 0, 0x0021_09F1, 0xEFD3_A97F),
        (0x8000_0007, _) => new(0, 0, 0, InvariantTimeStampCounter),

        // Widths of addresses. EBX: CLZERO, x87 error pointers, WBNOINVD.
        (0x8000_0008, _) => new(All, 0x205, 0, 0),

        // EAX: data breakpoints do not nest, LFENCE serialises, null selectors clear the base, fast REP operations.
        (0x8000_0021, _) => new(0xC45, 0, 0, 0),
        _ => default,
    };

    private static CpuidRegisters Everything => new(All, All, All, All);

    private static CpuidRegisters MaskOfComponent(uint component, uint ecx) =>
        component < 32 && (UserComponents >> (int)component & 1) != 0 && (ecx & IsSupervisorComponent) == 0 ? Everything : default;
}

using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// The hypervisor's names of model-specific registers. It cannot deny a register to a guest: whatever a guest may have
/// written has to be listed here, to be put back.
/// </summary>
internal static class MshvMsrNames
{
    /// <summary>How many pairs of memory-type-range registers have names.</summary>
    private const uint MostRangePairs = 16;

    private const uint FirstRange = 0x200;
    private const uint TimeStampCounter = 0x10;
    private const uint Efer = 0xC000_0080;
    private const uint ApicBase = 0x1B;

    private static readonly (uint Index, uint Name)[] Fixed =
    [
        (0x48, HvRegisterNames.HV_X64_REGISTER_SPEC_CTRL),
        (0xE1, HvdefRegisterNames.UmwaitControl),
        (0x122, HvdefRegisterNames.TsxCtrl),
        (0x174, HvRegisterNames.HV_X64_REGISTER_SYSENTER_CS),
        (0x175, HvRegisterNames.HV_X64_REGISTER_SYSENTER_ESP),
        (0x176, HvRegisterNames.HV_X64_REGISTER_SYSENTER_EIP),
        (0x1A0, HvRegisterNames.HV_X64_REGISTER_MSR_IA32_MISC_ENABLE),
        (0x1C4, HvdefRegisterNames.Xfd),
        (0x1C5, HvdefRegisterNames.XfdErr),
        (0x1D9, HvRegisterNames.HV_X64_REGISTER_DEBUG_CTL),
        (0x250, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX64K00000),
        (0x258, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX16K80000),
        (0x259, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX16KA0000),
        (0x268, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000),
        (0x269, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 1),
        (0x26A, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 2),
        (0x26B, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 3),
        (0x26C, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 4),
        (0x26D, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 5),
        (0x26E, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 6),
        (0x26F, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 + 7),
        (0x277, HvRegisterNames.HV_X64_REGISTER_PAT),
        (0x2FF, HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_DEF_TYPE),
        (0x6A0, HvRegisterNames.HV_X64_REGISTER_U_CET),
        (0x6A2, HvRegisterNames.HV_X64_REGISTER_S_CET),
        (0x6A4, HvRegisterNames.HV_X64_REGISTER_PL0_SSP),
        (0x6A5, HvRegisterNames.HV_X64_REGISTER_PL1_SSP),
        (0x6A6, HvRegisterNames.HV_X64_REGISTER_PL2_SSP),
        (0x6A7, HvRegisterNames.HV_X64_REGISTER_PL3_SSP),
        (0x6A8, HvRegisterNames.HV_X64_REGISTER_INTERRUPT_SSP_TABLE_ADDR),
        (0x6E0, HvdefRegisterNames.TscDeadline),
        (0xD90, HvRegisterNames.HV_X64_REGISTER_BNDCFGS),
        (0xDA0, HvRegisterNames.HV_X64_REGISTER_U_XSS),
        (0xC000_0081, HvRegisterNames.HV_X64_REGISTER_STAR),
        (0xC000_0082, HvRegisterNames.HV_X64_REGISTER_LSTAR),
        (0xC000_0083, HvRegisterNames.HV_X64_REGISTER_CSTAR),
        (0xC000_0084, HvRegisterNames.HV_X64_REGISTER_SFMASK),
        (0xC000_0102, HvRegisterNames.HV_X64_REGISTER_KERNEL_GS_BASE),
        (0xC000_0103, HvRegisterNames.HV_X64_REGISTER_TSC_AUX),
        (0xC001_011F, HvRegisterNames.HV_X64_REGISTER_VIRT_SPEC_CTRL),

        // Last: writing the counter would move it.
        (0x3B, HvRegisterNames.HV_X64_REGISTER_TSC_ADJUST),
    ];

    /// <summary>
    /// What a guest may write, if its processor has it, besides what is among the special registers, and the counters, which
    /// do not stand still.
    /// </summary>
    /// <param name="rangePairs">How many pairs of memory-type-range registers the processor has, as IA32_MTRRCAP says.</param>
    public static IEnumerable<uint> Candidates(uint rangePairs)
    {
        for (uint i = 0; i < 2 * Math.Min(rangePairs, MostRangePairs); i++)
        {
            yield return FirstRange + i;
        }

        foreach ((uint index, _) in Fixed)
        {
            yield return index;
        }
    }

    /// <summary>The name of a register, or 0 if it has none.</summary>
    public static uint Find(uint index)
    {
        if (index is >= FirstRange and < FirstRange + (2 * MostRangePairs))
        {
            uint pair = (index - FirstRange) / 2;
            return index % 2 == 0
                ? HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0 + pair
                : HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0 + pair;
        }

        switch (index)
        {
            case TimeStampCounter:
                return HvRegisterNames.HV_X64_REGISTER_TSC;
            case Efer:
                return HvRegisterNames.HV_X64_REGISTER_EFER;
            case ApicBase:
                return HvRegisterNames.HV_X64_REGISTER_APIC_BASE;
        }

        foreach ((uint known, uint name) in Fixed)
        {
            if (known == index)
            {
                return name;
            }
        }

        return 0;
    }
}

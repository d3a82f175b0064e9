using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// The platform's names of model-specific registers. It cannot deny a register to a guest: whatever a guest may have written
/// has to be listed here, to be put back. A register without a name cannot be written by a guest, as the platform gives it
/// none of those features.
/// </summary>
internal static class WhpMsrNames
{
    /// <summary>How many pairs of memory-type-range registers have names.</summary>
    private const uint MostRangePairs = 16;

    private const uint FirstRange = 0x200;
    private const uint TimeStampCounter = 0x10;
    private const uint Efer = 0xC000_0080;
    private const uint ApicBase = 0x1B;

    private static readonly (uint Index, uint Name)[] Fixed =
    [
        (0x48, WhvRegisterNames.WHvX64RegisterSpecCtrl),
        (0xE1, WhvRegisterNames.WHvX64RegisterUmwaitControl),
        (0x122, WhvRegisterNames.WHvX64RegisterTsxCtrl),
        (0x174, WhvRegisterNames.WHvX64RegisterSysenterCs),
        (0x175, WhvRegisterNames.WHvX64RegisterSysenterEsp),
        (0x176, WhvRegisterNames.WHvX64RegisterSysenterEip),
        (0x1C4, WhvRegisterNames.WHvX64RegisterXfd),
        (0x1C5, WhvRegisterNames.WHvX64RegisterXfdErr),
        (0x250, WhvRegisterNames.WHvX64RegisterMsrMtrrFix64k00000),
        (0x258, WhvRegisterNames.WHvX64RegisterMsrMtrrFix16k80000),
        (0x259, WhvRegisterNames.WHvX64RegisterMsrMtrrFix16kA0000),
        (0x268, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kC0000),
        (0x269, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kC8000),
        (0x26A, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kD0000),
        (0x26B, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kD8000),
        (0x26C, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kE0000),
        (0x26D, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kE8000),
        (0x26E, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kF0000),
        (0x26F, WhvRegisterNames.WHvX64RegisterMsrMtrrFix4kF8000),
        (0x277, WhvRegisterNames.WHvX64RegisterPat),
        (0x2FF, WhvRegisterNames.WHvX64RegisterMsrMtrrDefType),
        (0x6A0, WhvRegisterNames.WHvX64RegisterUCet),
        (0x6A2, WhvRegisterNames.WHvX64RegisterSCet),
        (0x6A4, WhvRegisterNames.WHvX64RegisterPl0Ssp),
        (0x6A5, WhvRegisterNames.WHvX64RegisterPl1Ssp),
        (0x6A6, WhvRegisterNames.WHvX64RegisterPl2Ssp),
        (0x6A7, WhvRegisterNames.WHvX64RegisterPl3Ssp),
        (0x6A8, WhvRegisterNames.WHvX64RegisterInterruptSspTableAddr),
        (0x6E0, WhvRegisterNames.WHvX64RegisterTscDeadline),

        // Not a register of RDMSR: the shadow-stack pointer itself.
        (0x7A0, WhvRegisterNames.WHvX64RegisterSsp),
        (0xD90, WhvRegisterNames.WHvX64RegisterBndcfgs),
        (0xDA0, WhvRegisterNames.WHvX64RegisterXss),
        (0xC000_0081, WhvRegisterNames.WHvX64RegisterStar),
        (0xC000_0082, WhvRegisterNames.WHvX64RegisterLstar),
        (0xC000_0083, WhvRegisterNames.WHvX64RegisterCstar),
        (0xC000_0084, WhvRegisterNames.WHvX64RegisterSfmask),
        (0xC000_0102, WhvRegisterNames.WHvX64RegisterKernelGsBase),
        (0xC000_0103, WhvRegisterNames.WHvX64RegisterTscAux),

        // Last: writing the counter would move it.
        (0x3B, WhvRegisterNames.WHvX64RegisterTscAdjust),
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

    /// <summary>Whether a register is among the special registers by itself.</summary>
    public static bool IsSpecial(uint index) => index is Efer or ApicBase;

    /// <summary>The name of a register, or 0, which is that of RAX, if it has none.</summary>
    public static uint Find(uint index)
    {
        if (index is >= FirstRange and < FirstRange + (2 * MostRangePairs))
        {
            uint pair = (index - FirstRange) / 2;
            return index % 2 == 0
                ? WhvRegisterNames.WHvX64RegisterMsrMtrrPhysBase0 + pair
                : WhvRegisterNames.WHvX64RegisterMsrMtrrPhysMask0 + pair;
        }

        switch (index)
        {
            case TimeStampCounter:
                return WhvRegisterNames.WHvX64RegisterTsc;
            case Efer:
                return WhvRegisterNames.WHvX64RegisterEfer;
            case ApicBase:
                return WhvRegisterNames.WHvX64RegisterApicBase;
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

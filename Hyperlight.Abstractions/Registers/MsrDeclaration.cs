namespace Hyperlight.Abstractions;

/// <summary>Which model-specific registers can be permitted to a guest in addition to those of the default.</summary>
internal static class MsrDeclaration
{
    /// <summary>The ranges that processors define and whose accesses hypervisors can intercept.</summary>
    private static readonly (uint First, uint Last)[] Defined =
        [(0, 0x1FFF), (0xC000_0000, 0xC000_1FFF), (0xC001_0000, 0xC001_1FFF)];

    private static readonly (uint First, uint Last, GuestMsrProblem Problem)[] Excluded =
    [
        // IA32_PRED_CMD, IA32_FLUSH_CMD, IA32_BIOS_UPDT_TRIG, PATCH_LOADER: writing them does something, and nothing is kept.
        (0x49, 0x49, GuestMsrProblem.WriteOnlyCommand),
        (0x10B, 0x10B, GuestMsrProblem.WriteOnlyCommand),
        (0x79, 0x79, GuestMsrProblem.WriteOnlyCommand),
        (0xC001_0020, 0xC001_0020, GuestMsrProblem.WriteOnlyCommand),

        // The time-stamp counter, its adjustment, MPERF and APERF: their values do not stand still.
        (0x10, 0x10, GuestMsrProblem.Clock),
        (0x3B, 0x3B, GuestMsrProblem.Clock),
        (0xE7, 0xE8, GuestMsrProblem.Clock),

        // KVM's old paravirtual clocks: the hypervisor writes to guest memory.
        (0x11, 0x12, GuestMsrProblem.Paravirtual),

        // Local APIC and x2APIC, IA32_FEATURE_CONTROL and VMX, system management, speculation control, performance
        // counters, UMWAIT, PASID, processor trace, CET with its shadow-stack pointers, the deadline timer, PKRS, FRED, XFD,
        // supervisor state, last branch records, SGX; SVM.
        (0x1B, 0x1B, GuestMsrProblem.HiddenFeature),
        (0x800, 0x8FF, GuestMsrProblem.HiddenFeature),
        (0x3A, 0x3A, GuestMsrProblem.HiddenFeature),
        (0x480, 0x49F, GuestMsrProblem.HiddenFeature),
        (0x34, 0x34, GuestMsrProblem.HiddenFeature),
        (0x9E, 0x9E, GuestMsrProblem.HiddenFeature),
        (0x48, 0x48, GuestMsrProblem.HiddenFeature),
        (0xC1, 0xC8, GuestMsrProblem.HiddenFeature),
        (0x186, 0x18D, GuestMsrProblem.HiddenFeature),
        (0x309, 0x30C, GuestMsrProblem.HiddenFeature),
        (0x345, 0x345, GuestMsrProblem.HiddenFeature),
        (0x38D, 0x390, GuestMsrProblem.HiddenFeature),
        (0x4C1, 0x4C8, GuestMsrProblem.HiddenFeature),
        (0xC000_0300, 0xC000_0303, GuestMsrProblem.HiddenFeature),
        (0xC001_0000, 0xC001_0007, GuestMsrProblem.HiddenFeature),
        (0xC001_0200, 0xC001_020B, GuestMsrProblem.HiddenFeature),
        (0xE1, 0xE1, GuestMsrProblem.HiddenFeature),
        (0xD93, 0xD93, GuestMsrProblem.HiddenFeature),
        (0x560, 0x57F, GuestMsrProblem.HiddenFeature),
        (0x6A0, 0x6A8, GuestMsrProblem.HiddenFeature),
        (0x6E0, 0x6E1, GuestMsrProblem.HiddenFeature),
        (0x1CC, 0x1D4, GuestMsrProblem.HiddenFeature),
        (0x1C4, 0x1C5, GuestMsrProblem.HiddenFeature),
        (0xDA0, 0xDA0, GuestMsrProblem.HiddenFeature),
        (0x14CE, 0x14CF, GuestMsrProblem.HiddenFeature),
        (0x1500, 0x16FF, GuestMsrProblem.HiddenFeature),
        (0x8C, 0x8F, GuestMsrProblem.HiddenFeature),
        (0xC001_0114, 0xC001_0119, GuestMsrProblem.HiddenFeature),
    ];

    /// <summary>Why a register cannot be permitted, or <see langword="null"/> if it can, where the hypervisor has it.</summary>
    public static GuestMsrProblem? FindProblem(uint register)
    {
        foreach ((uint first, uint last, GuestMsrProblem problem) in Excluded)
        {
            if (register >= first && register <= last)
            {
                return problem;
            }
        }

        if (register >> 28 == 4)
        {
            // 0x4000_0000 and 0x4B56_4D00: of Hyper-V and of KVM.
            return GuestMsrProblem.Paravirtual;
        }

        return Array.Exists(Defined, range => register >= range.First && register <= range.Last) ? null : GuestMsrProblem.Undefined;
    }
}

using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// WHV_PROCESSOR_FEATURES_BANKS of the host, less what is hidden from guests: PCID, speculation control, TSX control,
/// counters, nested virtualization, shadow stacks, and the timers that need a local APIC. A feature that is not given has
/// no model-specific registers either.
/// </summary>
/// <param name="Banks">The banks for partitions; <see langword="null"/> if the platform does not say what the host has.</param>
internal sealed record WhpFeatures(WhvProcessorFeaturesBanks? Banks)
{
    private const ulong HiddenInBank0 =
        1UL << WhvProcessorFeatures.PcidSupport
        | 1UL << WhvProcessorFeatures.InvpcidSupport
        | 1UL << WhvProcessorFeatures.IbrsSupport
        | 1UL << WhvProcessorFeatures.StibpSupport
        | 1UL << WhvProcessorFeatures.IbpbSupport
        | 1UL << WhvProcessorFeatures.SsbdSupport
        | 1UL << WhvProcessorFeatures.IbrsAllSupport
        | 1UL << WhvProcessorFeatures.TsxCtrlSupport;

    private const ulong HiddenInBank1 =
        1UL << WhvProcessorFeatures1.ACountMCountSupport
        | 1UL << WhvProcessorFeatures1.RdpruSupport
        | 1UL << WhvProcessorFeatures1.NestedVirtSupport
        | 1UL << WhvProcessorFeatures1.PsfdSupport
        | 1UL << WhvProcessorFeatures1.CetSsSupport
        | 1UL << WhvProcessorFeatures1.CetIbtSupport
        | 1UL << WhvProcessorFeatures1.VmxExceptionInjectSupport
        | 1UL << WhvProcessorFeatures1.UmwaitTpauseSupport
        | 1UL << WhvProcessorFeatures1.TscDeadlineTmrSupport;

    /// <summary>Asks the platform.</summary>
    public static unsafe WhpFeatures Read(IWinHv winHv)
    {
        // SAFETY: locals of the function's types.
        WhvProcessorFeaturesBanks banks = default;
        uint written;
        int result = winHv.GetCapability(
            WhvCapabilities.WHvCapabilityCodeProcessorFeaturesBanks, &banks, (uint)sizeof(WhvProcessorFeaturesBanks), &written);
        if (result < 0 || banks.BanksCount != WhvProcessorFeaturesBanks.WHV_PROCESSOR_FEATURES_BANKS_COUNT)
        {
            return new WhpFeatures(Banks: null);
        }

        banks.Bank0 &= ~HiddenInBank0;
        banks.Bank1 &= ~HiddenInBank1;
        return new WhpFeatures(banks);
    }
}

using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// What of a processor guests are shown: what <see cref="Abstractions.GuestCpuid"/> shows on every driver. Everything else is
/// disabled, the features among it that have no name yet. Nested virtualization, the local APIC and x2APIC are off unless a
/// partition is created with them.
/// </summary>
/// <remarks>
/// Besides, there is IA32_TSC_ADJUST: without it, what a guest writes to the time-stamp counter could not be put back.
/// </remarks>
internal static class MshvGuestFeatures
{
    private const HvProcessorFeatures0 Shown0 =
        HvProcessorFeatures0.Sse3Support | HvProcessorFeatures0.LahfSahfSupport | HvProcessorFeatures0.Ssse3Support
        | HvProcessorFeatures0.Sse41Support | HvProcessorFeatures0.Sse42Support | HvProcessorFeatures0.Sse4aSupport
        | HvProcessorFeatures0.XopSupport | HvProcessorFeatures0.PopCntSupport | HvProcessorFeatures0.Cmpxchg16bSupport
        | HvProcessorFeatures0.Altmovcr8Support | HvProcessorFeatures0.LzcntSupport | HvProcessorFeatures0.MisAlignSseSupport
        | HvProcessorFeatures0.MmxExtSupport | HvProcessorFeatures0.Amd3dnowSupport
        | HvProcessorFeatures0.ExtendedAmd3dnowSupport | HvProcessorFeatures0.Page1gbSupport | HvProcessorFeatures0.AesSupport
        | HvProcessorFeatures0.PclmulqdqSupport | HvProcessorFeatures0.Fma4Support | HvProcessorFeatures0.F16cSupport
        | HvProcessorFeatures0.RdRandSupport | HvProcessorFeatures0.RdWrFsGsSupport | HvProcessorFeatures0.SmepSupport
        | HvProcessorFeatures0.EnhancedFastStringSupport | HvProcessorFeatures0.Bmi1Support | HvProcessorFeatures0.Bmi2Support
        | HvProcessorFeatures0.MovbeSupport | HvProcessorFeatures0.DepX87FpuSaveSupport | HvProcessorFeatures0.RdSeedSupport
        | HvProcessorFeatures0.AdxSupport | HvProcessorFeatures0.IntelPrefetchSupport | HvProcessorFeatures0.SmapSupport
        | HvProcessorFeatures0.HleSupport | HvProcessorFeatures0.RtmSupport | HvProcessorFeatures0.RdtscpSupport
        | HvProcessorFeatures0.ClflushoptSupport | HvProcessorFeatures0.ClwbSupport | HvProcessorFeatures0.ShaSupport
        | HvProcessorFeatures0.X87PointersSavedSupport | HvProcessorFeatures0.FastShortRepMovSupport
        | HvProcessorFeatures0.RdPidSupport | HvProcessorFeatures0.UmipSupport | HvProcessorFeatures0.MbClearSupport;

    private const HvProcessorFeatures1 Shown1 =
        HvProcessorFeatures1.TscInvariantSupport | HvProcessorFeatures1.ClZeroSupport | HvProcessorFeatures1.MovdiriSupport
        | HvProcessorFeatures1.Movdir64bSupport | HvProcessorFeatures1.CldemoteSupport | HvProcessorFeatures1.SerializeSupport
        | HvProcessorFeatures1.TscAdjustSupport | HvProcessorFeatures1.FzlRepMovsb | HvProcessorFeatures1.FsRepStosb
        | HvProcessorFeatures1.FsRepCmpsb | HvProcessorFeatures1.TsxLdTrkSupport | HvProcessorFeatures1.CmpccxaddSupport
        | HvProcessorFeatures1.PrefetchISupport | HvProcessorFeatures1.Sha512Support | HvProcessorFeatures1.Sm3Support
        | HvProcessorFeatures1.Sm4Support;

    private const HvXsaveFeatures ShownXsave =
        HvXsaveFeatures.XsaveSupport | HvXsaveFeatures.XsaveoptSupport | HvXsaveFeatures.AvxSupport
        | HvXsaveFeatures.Avx2Support | HvXsaveFeatures.FmaSupport | HvXsaveFeatures.Avx512Support
        | HvXsaveFeatures.Avx512DqSupport | HvXsaveFeatures.Avx512CdSupport | HvXsaveFeatures.Avx512BwSupport
        | HvXsaveFeatures.Avx512VlSupport | HvXsaveFeatures.XsaveCompSupport | HvXsaveFeatures.Xcr1Support
        | HvXsaveFeatures.Avx512BitalgSupport | HvXsaveFeatures.Avx512IFmaSupport | HvXsaveFeatures.Avx512VBmiSupport
        | HvXsaveFeatures.Avx512VBmi2Support | HvXsaveFeatures.Avx512VnniSupport | HvXsaveFeatures.GfniSupport
        | HvXsaveFeatures.VaesSupport | HvXsaveFeatures.Avx512VPopcntdqSupport | HvXsaveFeatures.VpclmulqdqSupport
        | HvXsaveFeatures.Avx512Bf16Support | HvXsaveFeatures.Avx512Vp2IntersectSupport | HvXsaveFeatures.Avx512Fp16Support
        | HvXsaveFeatures.AmxTileSupport | HvXsaveFeatures.AmxBf16Support | HvXsaveFeatures.AmxInt8Support
        | HvXsaveFeatures.AvxVnniSupport | HvXsaveFeatures.AvxIfmaSupport | HvXsaveFeatures.AvxNeConvertSupport
        | HvXsaveFeatures.AvxVnniInt8Support | HvXsaveFeatures.AvxVnniInt16Support | HvXsaveFeatures.Avx101256Support
        | HvXsaveFeatures.Avx101512Support | HvXsaveFeatures.AmxFp16Support;

    /// <summary>The arguments of a partition whose guest is shown nothing else.</summary>
    public static MshvCreatePartitionV2 Arguments => new()
    {
        PtFlags = MshvCreatePartitionV2.MSHV_PT_CPU_AND_XSAVE_FEATURES,
        PtNumCpuFbanks = MshvCreatePartitionV2.MSHV_NUM_CPU_FEATURES_BANKS,
        PtCpuFbanks0 = ~(ulong)Shown0,
        PtCpuFbanks1 = ~(ulong)Shown1,
        PtDisabledXsave = ~(ulong)ShownXsave,
    };
}

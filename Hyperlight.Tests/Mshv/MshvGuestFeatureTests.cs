using Hyperlight.Abstractions;
using Hyperlight.Mshv;
using Hyperlight.Mshv.Interop;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>Features of the processor that a partition is created with: those that CPUID shows on every driver.</summary>
[TestFixture]
internal sealed class MshvGuestFeatureTests
{
    private const int Xsave = 2;

    /// <summary>Which bit of CPUID reports a feature.</summary>
    private static readonly (int Bank, string Name, uint Leaf, uint Subleaf, string Register, int Bit)[] Reported =
    [
        (0, "Sse3Support", 0x1, 0, "ecx", 0),
        (0, "LahfSahfSupport", 0x80000001, 0, "ecx", 0),
        (0, "Ssse3Support", 0x1, 0, "ecx", 9),
        (0, "Sse41Support", 0x1, 0, "ecx", 19),
        (0, "Sse42Support", 0x1, 0, "ecx", 20),
        (0, "Sse4aSupport", 0x80000001, 0, "ecx", 6),
        (0, "XopSupport", 0x80000001, 0, "ecx", 11),
        (0, "PopCntSupport", 0x1, 0, "ecx", 23),
        (0, "Cmpxchg16bSupport", 0x1, 0, "ecx", 13),
        (0, "Altmovcr8Support", 0x80000001, 0, "ecx", 4),
        (0, "LzcntSupport", 0x80000001, 0, "ecx", 5),
        (0, "MisAlignSseSupport", 0x80000001, 0, "ecx", 7),
        (0, "MmxExtSupport", 0x80000001, 0, "edx", 22),
        (0, "Amd3dnowSupport", 0x80000001, 0, "edx", 31),
        (0, "ExtendedAmd3dnowSupport", 0x80000001, 0, "edx", 30),
        (0, "Page1gbSupport", 0x80000001, 0, "edx", 26),
        (0, "AesSupport", 0x1, 0, "ecx", 25),
        (0, "PclmulqdqSupport", 0x1, 0, "ecx", 1),
        (0, "PcidSupport", 0x1, 0, "ecx", 17),
        (0, "Fma4Support", 0x80000001, 0, "ecx", 16),
        (0, "F16cSupport", 0x1, 0, "ecx", 29),
        (0, "RdRandSupport", 0x1, 0, "ecx", 30),
        (0, "RdWrFsGsSupport", 0x7, 0, "ebx", 0),
        (0, "SmepSupport", 0x7, 0, "ebx", 7),
        (0, "EnhancedFastStringSupport", 0x7, 0, "ebx", 9),
        (0, "Bmi1Support", 0x7, 0, "ebx", 3),
        (0, "Bmi2Support", 0x7, 0, "ebx", 8),
        (0, "MovbeSupport", 0x1, 0, "ecx", 22),
        (0, "DepX87FpuSaveSupport", 0x7, 0, "ebx", 13),
        (0, "RdSeedSupport", 0x7, 0, "ebx", 18),
        (0, "AdxSupport", 0x7, 0, "ebx", 19),
        (0, "IntelPrefetchSupport", 0x80000001, 0, "ecx", 8),
        (0, "SmapSupport", 0x7, 0, "ebx", 20),
        (0, "HleSupport", 0x7, 0, "ebx", 4),
        (0, "RtmSupport", 0x7, 0, "ebx", 11),
        (0, "RdtscpSupport", 0x80000001, 0, "edx", 27),
        (0, "ClflushoptSupport", 0x7, 0, "ebx", 23),
        (0, "ClwbSupport", 0x7, 0, "ebx", 24),
        (0, "ShaSupport", 0x7, 0, "ebx", 29),
        (0, "X87PointersSavedSupport", 0x80000008, 0, "ebx", 2),
        (0, "InvpcidSupport", 0x7, 0, "ebx", 10),
        (0, "IbrsSupport", 0x7, 0, "edx", 26),
        (0, "StibpSupport", 0x7, 0, "edx", 27),
        (0, "FastShortRepMovSupport", 0x7, 0, "edx", 4),
        (0, "RdPidSupport", 0x7, 0, "ecx", 22),
        (0, "UmipSupport", 0x7, 0, "ecx", 2),
        (0, "MbClearSupport", 0x7, 0, "edx", 10),
        (1, "TscInvariantSupport", 0x80000007, 0, "edx", 8),
        (1, "ClZeroSupport", 0x80000008, 0, "ebx", 0),
        (1, "RdpruSupport", 0x80000008, 0, "ebx", 4),
        (1, "La57Support", 0x7, 0, "ecx", 16),
        (1, "CetSsSupport", 0x7, 0, "ecx", 7),
        (1, "CetIbtSupport", 0x7, 0, "edx", 20),
        (1, "EnqcmdSupport", 0x7, 0, "ecx", 29),
        (1, "UmwaitTpauseSupport", 0x7, 0, "ecx", 5),
        (1, "MovdiriSupport", 0x7, 0, "ecx", 27),
        (1, "Movdir64bSupport", 0x7, 0, "ecx", 28),
        (1, "CldemoteSupport", 0x7, 0, "ecx", 25),
        (1, "SerializeSupport", 0x7, 0, "edx", 14),
        (1, "TscDeadlineTmrSupport", 0x1, 0, "ecx", 24),
        (1, "TscAdjustSupport", 0x7, 0, "ebx", 1),
        (1, "FzlRepMovsb", 0x7, 1, "eax", 10),
        (1, "FsRepStosb", 0x7, 1, "eax", 11),
        (1, "FsRepCmpsb", 0x7, 1, "eax", 12),
        (1, "TsxLdTrkSupport", 0x7, 0, "edx", 16),
        (1, "CmpccxaddSupport", 0x7, 1, "eax", 7),
        (1, "PrefetchISupport", 0x7, 1, "edx", 14),
        (1, "Sha512Support", 0x7, 1, "eax", 0),
        (1, "Sm3Support", 0x7, 1, "eax", 1),
        (1, "Sm4Support", 0x7, 1, "eax", 2),
        (2, "XsaveSupport", 0x1, 0, "ecx", 26),
        (2, "XsaveoptSupport", 0xD, 1, "eax", 0),
        (2, "AvxSupport", 0x1, 0, "ecx", 28),
        (2, "Avx2Support", 0x7, 0, "ebx", 5),
        (2, "FmaSupport", 0x1, 0, "ecx", 12),
        (2, "MpxSupport", 0x7, 0, "ebx", 14),
        (2, "Avx512Support", 0x7, 0, "ebx", 16),
        (2, "Avx512DqSupport", 0x7, 0, "ebx", 17),
        (2, "Avx512CdSupport", 0x7, 0, "ebx", 28),
        (2, "Avx512BwSupport", 0x7, 0, "ebx", 30),
        (2, "Avx512VlSupport", 0x7, 0, "ebx", 31),
        (2, "XsaveCompSupport", 0xD, 1, "eax", 1),
        (2, "XsaveSupervisorSupport", 0xD, 1, "eax", 3),
        (2, "Xcr1Support", 0xD, 1, "eax", 2),
        (2, "Avx512BitalgSupport", 0x7, 0, "ecx", 12),
        (2, "Avx512IFmaSupport", 0x7, 0, "ebx", 21),
        (2, "Avx512VBmiSupport", 0x7, 0, "ecx", 1),
        (2, "Avx512VBmi2Support", 0x7, 0, "ecx", 6),
        (2, "Avx512VnniSupport", 0x7, 0, "ecx", 11),
        (2, "GfniSupport", 0x7, 0, "ecx", 8),
        (2, "VaesSupport", 0x7, 0, "ecx", 9),
        (2, "Avx512VPopcntdqSupport", 0x7, 0, "ecx", 14),
        (2, "VpclmulqdqSupport", 0x7, 0, "ecx", 10),
        (2, "Avx512Bf16Support", 0x7, 1, "eax", 5),
        (2, "Avx512Vp2IntersectSupport", 0x7, 0, "edx", 8),
        (2, "Avx512Fp16Support", 0x7, 0, "edx", 23),
        (2, "XfdSupport", 0xD, 1, "eax", 4),
        (2, "AmxTileSupport", 0x7, 0, "edx", 24),
        (2, "AmxBf16Support", 0x7, 0, "edx", 22),
        (2, "AmxInt8Support", 0x7, 0, "edx", 25),
        (2, "AvxVnniSupport", 0x7, 1, "eax", 4),
        (2, "AvxIfmaSupport", 0x7, 1, "eax", 23),
        (2, "AvxNeConvertSupport", 0x7, 1, "edx", 5),
        (2, "AvxVnniInt8Support", 0x7, 1, "edx", 4),
        (2, "AvxVnniInt16Support", 0x7, 1, "edx", 10),
        (2, "Avx101256Support", 0x7, 1, "edx", 19),
        (2, "Avx101512Support", 0x7, 1, "edx", 19),
        (2, "AmxFp16Support", 0x7, 1, "eax", 21),
        (2, "ApxSupport", 0x7, 1, "edx", 21),
    ];

    [Test]
    public void A_feature_is_enabled_if_CPUID_shows_it_and_disabled_otherwise()
    {
        MshvCreatePartitionV2 arguments = MshvGuestFeatures.Arguments;
        Assert.Multiple(() =>
        {
            foreach ((int bank, string name, uint leaf, uint subleaf, string register, int bit) in Reported)
            {
                bool isEnabled = bank switch
                {
                    0 => (arguments.PtCpuFbanks0 & (ulong)Enum.Parse<HvProcessorFeatures0>(name)) == 0,
                    1 => (arguments.PtCpuFbanks1 & (ulong)Enum.Parse<HvProcessorFeatures1>(name)) == 0,
                    _ => (arguments.PtDisabledXsave & (ulong)Enum.Parse<HvXsaveFeatures>(name)) == 0,
                };

                // The adjustment of the counter is how it is put back.
                bool isShown = IsShown(leaf, subleaf, register, bit) || name == nameof(HvProcessorFeatures1.TscAdjustSupport);
                Assert.That(isEnabled, Is.EqualTo(isShown), name);
            }
        });
    }

    [Test]
    public void Every_feature_with_a_name_has_its_bit_of_CPUID_here_and_all_others_are_disabled()
    {
        MshvCreatePartitionV2 arguments = MshvGuestFeatures.Arguments;
        Assert.Multiple(() =>
        {
            Assert.That(Names(0), Is.EquivalentTo(Enum.GetNames<HvProcessorFeatures0>()));
            Assert.That(Names(1), Is.EquivalentTo(Enum.GetNames<HvProcessorFeatures1>()));
            Assert.That(Names(Xsave), Is.EquivalentTo(Enum.GetNames<HvXsaveFeatures>()));
            Assert.That(~arguments.PtCpuFbanks0 & ~Enum.GetValues<HvProcessorFeatures0>().Aggregate(0UL, static (a, f) => a | (ulong)f), Is.Zero);
            Assert.That(~arguments.PtCpuFbanks1 & ~Enum.GetValues<HvProcessorFeatures1>().Aggregate(0UL, static (a, f) => a | (ulong)f), Is.Zero);
            Assert.That(~arguments.PtDisabledXsave & ~Enum.GetValues<HvXsaveFeatures>().Aggregate(0UL, static (a, f) => a | (ulong)f), Is.Zero);
        });
    }

    [Test]
    public void A_kernel_that_knows_the_longer_structure_gets_what_is_disabled()
    {
        RealLinux.Require();
        using SimulatedMachine machine = new(static code => code.hlt(), static traits => traits.KnownCreateFlags = 0x3F);
        MshvCreatePartitionV2 arguments = MshvGuestFeatures.Arguments;

        Assert.That(
            machine.Kernel.LastPartition!.DisabledFeatures,
            Is.EqualTo(new[] { arguments.PtCpuFbanks0, arguments.PtCpuFbanks1, arguments.PtDisabledXsave }));
        Assert.That(machine.Kernel.Journal.Count(static r => r == "MSHV_CREATE_PARTITION"), Is.EqualTo(2), "the probe and the machine");
    }

    [Test]
    public void A_kernel_that_does_not_know_it_is_asked_once_and_gets_the_shorter_one()
    {
        RealLinux.Require();
        using SimulatedMachine machine = new(static code => code.hlt());
        using IVirtualMachine other = machine.Hypervisor.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.That(machine.Kernel.LastPartition!.DisabledFeatures, Is.Empty);
        Assert.That(machine.Kernel.Journal.Count(static r => r == "MSHV_CREATE_PARTITION"), Is.EqualTo(4), "refused once, and three partitions");
    }

    private static IEnumerable<string> Names(int bank) => Reported.Where(r => r.Bank == bank).Select(static r => r.Name);

    private static bool IsShown(uint leaf, uint subleaf, string register, int bit)
    {
        CpuidRegisters shown = GuestCpuid.Restrict(leaf, subleaf, new CpuidRegisters(uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue));
        uint value = register switch
        {
            "eax" => shown.Eax,
            "ebx" => shown.Ebx,
            "ecx" => shown.Ecx,
            _ => shown.Edx,
        };
        return (value >> bit & 1) != 0;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Abstractions;
using Hyperlight.Tests.Integration;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>What CPUID tells a guest, on every usable driver.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class CpuidTests(TestTarget target) : MachineTest(target)
{
    private const uint Extended = 0x8000_0000;
    private const uint HypervisorLeaves = 0x4000_0000;

    /// <summary>More leaves and subleaves than any processor has of one kind.</summary>
    private const uint MostLeaves = 0x40;
    private const uint MostSubleaves = 64;

    [TestCaseSource(typeof(HiddenFeature), nameof(HiddenFeature.All))]
    public void A_hidden_feature_is_not_shown(HiddenFeature feature)
    {
        uint last = Read(feature.Leaf & 0xC000_0000, 0).Eax;
        if (feature.Leaf <= last && last >> 30 == feature.Leaf >> 30)
        {
            Assert.That(feature.IsIn(Read(feature.Leaf, feature.Subleaf)), Is.False);
        }
    }

    [Test]
    public void Only_known_features_are_shown()
    {
        foreach (uint first in new[] { 0u, Extended, HypervisorLeaves })
        {
            uint last = Read(first, 0).Eax;
            for (uint leaf = first; leaf <= last && leaf < first + MostLeaves; leaf++)
            {
                uint subleaves = leaf is 4 or 7 or 0xD or 0x8000_001D ? MostSubleaves : 1;
                for (uint subleaf = 0; subleaf < subleaves; subleaf++)
                {
                    CpuidRegisters shown = Read(leaf, subleaf);
                    Assert.That(GuestCpuid.Restrict(leaf, subleaf, shown), Is.EqualTo(shown), $"leaf 0x{leaf:X}, subleaf {subleaf}");
                }
            }
        }
    }

    private CpuidRegisters Read(uint leaf, uint subleaf)
    {
        Guest.RunKernel((c, _) =>
        {
            c.mov(eax, leaf);
            c.mov(ecx, subleaf);
            c.cpuid();
            c.hlt();
        });
        GeneralRegisters result = Guest.Machine.GetGeneralRegisters();
        return new CpuidRegisters((uint)result.Rax, (uint)result.Rbx, (uint)result.Rcx, (uint)result.Rdx);
    }
}

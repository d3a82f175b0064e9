using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Abstractions;

/// <summary>What guests are told of a processor that has everything.</summary>
internal sealed class GuestCpuidTests
{
    private static readonly CpuidRegisters Everything = new(uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue);

    [TestCaseSource(typeof(HiddenFeature), nameof(HiddenFeature.All))]
    public void A_hidden_feature_is_not_shown(HiddenFeature feature) =>
        Assert.That(feature.IsIn(GuestCpuid.Restrict(feature.Leaf, feature.Subleaf, Everything)), Is.False);

    [TestCase(1u, 0u, 3, 25, TestName = "SSE")]
    [TestCase(1u, 0u, 2, 28, TestName = "AVX")]
    [TestCase(1u, 0u, 2, 30, TestName = "RDRAND")]
    [TestCase(7u, 0u, 1, 5, TestName = "AVX2")]
    [TestCase(7u, 0u, 1, 16, TestName = "AVX512F")]
    [TestCase(7u, 0u, 1, 0, TestName = "FSGSBASE")]
    [TestCase(7u, 0u, 1, 20, TestName = "SMAP")]
    [TestCase(0x8000_0001u, 0u, 3, 29, TestName = "Long_mode")]
    [TestCase(0x8000_0001u, 0u, 3, 20, TestName = "NX")]
    [TestCase(0x8000_0001u, 0u, 3, 27, TestName = "RDTSCP")]
    [TestCase(0x8000_0007u, 0u, 3, 8, TestName = "Invariant_TSC")]
    [TestCase(0xDu, 0u, 0, 9, TestName = "PKRU_component")]
    public void An_instruction_set_for_programs_is_shown(uint leaf, uint subleaf, int register, int bit) =>
        Assert.That(new HiddenFeature("", leaf, subleaf, register, bit).IsIn(GuestCpuid.Restrict(leaf, subleaf, Everything)));

    [Test]
    public void A_leaf_that_is_not_known_is_empty()
    {
        uint[] leaves = [3, 5, 6, 8, 9, 0xA, 0xB, 0xF, 0x10, 0x12, 0x14, 0x17, 0x19, 0x1B, 0x1C, 0x1F, 0x20, 0x21, 0x23, 0x30,
            0x4000_0001, 0x4000_0010, 0x4000_0100, 0x8000_000A, 0x8000_001B, 0x8000_001C, 0x8000_001E, 0x8000_001F, 0x8000_0020,
            0x8000_0022, 0x8000_0026, 0x8000_0030, 0xC000_0001];

        Assert.That(leaves.Select(static leaf => GuestCpuid.Restrict(leaf, 0, Everything)), Is.All.EqualTo(default(CpuidRegisters)));
    }

    /// <summary>Each component has a subleaf, of which bit 0 of ECX says that IA32_XSS enables it: CET, processor trace and others.</summary>
    [Test]
    public void The_components_of_supervisor_state_are_empty_and_those_of_programs_are_not()
    {
        uint[] user = [2, 3, 4, 5, 6, 7, 9, 17, 18, 19];
        CpuidRegisters ofUser = new(64, 576, 0, 0);
        for (uint component = 2; component < 64; component++)
        {
            Assert.That(GuestCpuid.Restrict(0xD, component, ofUser with { Ecx = 1 }), Is.EqualTo(default(CpuidRegisters)));
            Assert.That(
                GuestCpuid.Restrict(0xD, component, ofUser),
                Is.EqualTo(user.Contains(component) ? ofUser : default), $"component {component}");
        }
    }

    [Test]
    public void Restricting_twice_is_the_same_as_once()
    {
        for (uint leaf = 0; leaf < 0x30; leaf++)
        {
            CpuidRegisters once = GuestCpuid.Restrict(leaf, 0, Everything);
            Assert.That(GuestCpuid.Restrict(leaf, 0, once), Is.EqualTo(once));
        }
    }

    [Test]
    public void Features_are_those_that_guests_are_told_of()
    {
        string features = GuestCpuid.Features(static (_, _) => Everything);

        Assert.That(GuestCpuid.Features(static (leaf, subleaf) => GuestCpuid.Restrict(leaf, subleaf, Everything)), Is.EqualTo(features), "what is hidden");
        Assert.That(GuestCpuid.Features(static (leaf, _) => leaf == 7 ? Everything with { Ebx = ~(1u << 5) } : Everything), Is.Not.EqualTo(features), "AVX2");
        Assert.That(GuestCpuid.Features(static (leaf, _) => leaf == 1 ? Everything with { Eax = 1 } : Everything), Is.Not.EqualTo(features), "the model");
        Assert.That(GuestCpuid.Features(static (leaf, _) => leaf == 1 ? Everything with { Ebx = 0xFFFF } : Everything), Is.EqualTo(features), "which processor");
        Assert.That(GuestCpuid.Features(static (leaf, _) => leaf is 4 or 0x16 ? default : Everything), Is.EqualTo(features), "caches and frequencies");
    }
}

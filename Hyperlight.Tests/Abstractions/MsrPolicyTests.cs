using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Abstractions;

/// <summary>What the policies for model-specific registers permit, and what cannot be permitted.</summary>
internal sealed class MsrPolicyTests
{
    private const uint KernelGsBase = 0xC000_0102;

    private static readonly uint[] Special = [0xC000_0080, 0xC000_0100, 0xC000_0101];

    [TestCase(0x49u, GuestMsrProblem.WriteOnlyCommand, TestName = "IA32_PRED_CMD")]
    [TestCase(0x10Bu, GuestMsrProblem.WriteOnlyCommand, TestName = "IA32_FLUSH_CMD")]
    [TestCase(0x79u, GuestMsrProblem.WriteOnlyCommand, TestName = "IA32_BIOS_UPDT_TRIG")]
    [TestCase(0x10u, GuestMsrProblem.Clock, TestName = "IA32_TIME_STAMP_COUNTER")]
    [TestCase(0x3Bu, GuestMsrProblem.Clock, TestName = "IA32_TSC_ADJUST")]
    [TestCase(0x12u, GuestMsrProblem.Paravirtual, TestName = "MSR_KVM_SYSTEM_TIME")]
    [TestCase(0x4B56_4D01u, GuestMsrProblem.Paravirtual, TestName = "MSR_KVM_SYSTEM_TIME_NEW")]
    [TestCase(0x4000_0000u, GuestMsrProblem.Paravirtual, TestName = "HV_X64_MSR_GUEST_OS_ID")]
    [TestCase(0x1Bu, GuestMsrProblem.HiddenFeature, TestName = "IA32_APIC_BASE")]
    [TestCase(0x800u, GuestMsrProblem.HiddenFeature, TestName = "First_x2APIC_register")]
    [TestCase(0x8FFu, GuestMsrProblem.HiddenFeature, TestName = "Last_x2APIC_register")]
    [TestCase(0x6A2u, GuestMsrProblem.HiddenFeature, TestName = "IA32_S_CET")]
    [TestCase(0x6A7u, GuestMsrProblem.HiddenFeature, TestName = "IA32_PL3_SSP")]
    [TestCase(0x2000u, GuestMsrProblem.Undefined, TestName = "Behind_the_first_range")]
    [TestCase(0xFFFF_FFFFu, GuestMsrProblem.Undefined, TestName = "Last_index")]
    public void Cannot_be_permitted(uint register, GuestMsrProblem problem)
    {
        foreach (MsrPolicy policy in new[] { MsrPolicy.Default, MsrPolicy.None })
        {
            GuestMsrException error = Assert.Throws<GuestMsrException>(() => policy.With(register))!;

            Assert.That((error.Register, error.Problem), Is.EqualTo((register, problem)));
            Assert.That(error.Message, Does.Contain($"0x{register:X}"));
        }
    }

    [TestCase(0u)]
    [TestCase(0x1FFFu)]
    [TestCase(0xC000_0000u)]
    [TestCase(0xC000_1FFFu)]
    [TestCase(0xC001_1FFFu)]
    public void The_ends_of_the_defined_ranges_can_be_permitted(uint register) =>
        Assert.That(MsrPolicy.Default.With(register).MayWrite(register), Is.True);

    [Test]
    public void Every_problem_has_a_message() => Assert.That(
        Enum.GetValues<GuestMsrProblem>().Select(static problem => new GuestMsrException(0x123, problem, "kvm").Message), Is.Unique);

    [Test]
    public void Sixteen_registers_can_be_added_and_not_seventeen()
    {
        MsrPolicy full = MsrPolicy.Default.With([.. Enumerable.Range(0x200, 16).Select(static i => (uint)i)]);

        Assert.That(full.Additional, Has.Count.EqualTo(MsrPolicy.MaximumAdditional));
        Assert.That(full.With(0x200, 0x20F, 0x277), Is.EqualTo(full), "what is permitted already does not count");
        GuestMsrException error = Assert.Throws<GuestMsrException>(() => full.With(0x250))!;
        Assert.That((error.Register, error.Problem), Is.EqualTo((0x250u, GuestMsrProblem.TooMany)));
    }

    [Test]
    public void An_added_register_can_be_read_and_written_and_is_restored()
    {
        MsrPolicy policy = MsrPolicy.None.With(0x277, 0x200);

        Assert.Multiple(() =>
        {
            Assert.That(policy.Readable, Is.EqualTo(new uint[] { 0x200, 0x277 }));
            Assert.That(policy.Writable, Is.EqualTo(new uint[] { 0x200, 0x277 }));
            Assert.That(policy.Additional, Is.EqualTo(new uint[] { 0x200, 0x277 }));
            Assert.That(policy.Restored, Is.EqualTo(new uint[] { 0x200, 0x277, KernelGsBase }));
        });
    }

    [Test]
    public void Writable_registers_are_readable_and_restored_or_special()
    {
        foreach (MsrPolicy policy in new[] { MsrPolicy.Default, MsrPolicy.None, MsrPolicy.Default.With(0x1A0, 0x2FF) })
        {
            Assert.That(policy.Writable, Is.SubsetOf(policy.Readable));
            Assert.That(policy.Restored, Is.EquivalentTo(policy.Writable.Append(KernelGsBase).Distinct().Except(Special)));
            Assert.That(policy.Readable, Is.Ordered.And.Unique);
            Assert.That(policy.Readable.All(policy.MayRead) && policy.Writable.All(policy.MayWrite));
            Assert.That(policy.MayRead(0xFE) || policy.MayWrite(0x10), Is.False);
        }
    }

    [Test]
    public void Machines_have_the_default_policy_by_default() => Assert.Multiple(static () =>
    {
        Assert.That(new VirtualMachineOptions().Msrs, Is.SameAs(MsrPolicy.Default));
        Assert.That(default(VirtualMachineOptions).Msrs, Is.SameAs(MsrPolicy.Default));
        Assert.That(new SandboxConfiguration().GuestMsrs, Is.SameAs(MsrPolicy.Default));
        Assert.That(() => new SandboxConfiguration { GuestMsrs = null! }, Throws.ArgumentNullException);
    });

    [Test]
    public void Policies_that_permit_the_same_are_equal()
    {
        MsrPolicy one = MsrPolicy.Default.With(0x200, 0x201);
        MsrPolicy other = MsrPolicy.Default.With(0x201).With(0x200, 0x200);

        Assert.That(one, Is.EqualTo(other));
        Assert.That(one.GetHashCode(), Is.EqualTo(other.GetHashCode()));
        Assert.That(one, Is.Not.EqualTo(MsrPolicy.Default).And.Not.EqualTo(MsrPolicy.None));
        Assert.That(new SandboxConfiguration { GuestMsrs = one }, Is.EqualTo(new SandboxConfiguration { GuestMsrs = other }));
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Values that control and model-specific registers refuse.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class RegisterTests(TestTarget target) : MachineTest(target)
{
    private const ulong NotCanonical = 0x8000_0000_0000_0000;

    [TestCase(0, 0x1_8005_0033UL)]
    [TestCase(0, 0x0005_0033UL)]
    [TestCase(0, 0x8005_0032UL)]
    [TestCase(0, 0xA005_0033UL)]
    [TestCase(4, 0x600UL)]
    [TestCase(4, 0x8000_0620UL)]
    [TestCase(3, 0x8000_0000_0000_1000UL)]
    [TestCase(8, 0x10UL)]
    public void A_control_register_refuses(int register, ulong value)
    {
        if (register == 3 || value >> 32 != 0)
        {
            SkipOnQemu("takes reserved bits of CR0 and CR3");
        }

        Guest.RunKernel((c, at) =>
        {
            c.mov(rax, value);
            at.Here();
            c.mov(register switch { 0 => cr0, 3 => cr3, 4 => cr4, _ => cr8 }, rax);
        });

        AssertFault(GeneralProtection, 0);
    }

    [TestCase(0xC000_0080u, 0x8000_0000UL)]
    [TestCase(0xC000_0080u, 0x401UL)]
    [TestCase(0xC000_0082u, NotCanonical)]
    [TestCase(0xC000_0100u, NotCanonical)]
    [TestCase(0xC000_0101u, NotCanonical)]
    [TestCase(0xC000_0102u, NotCanonical)]
    [TestCase(0x277u, 2UL)]
    [TestCase(0x277u, 0x0800_0000_0000_0000UL)]
    [TestCase(0x1234_5678u, 0UL)]
    public void A_model_specific_register_refuses(uint index, ulong value)
    {
        if (value == NotCanonical)
        {
            SkipOnQemu("takes bases and entry points that are not canonical");
        }

        Guest.RunKernel((c, at) =>
        {
            c.mov(ecx, index);
            c.mov(eax, (uint)value);
            c.mov(edx, (uint)(value >> 32));
            at.Here();
            c.wrmsr();
        });

        AssertFault(GeneralProtection, 0);
    }

    [TestCase(0xC000_0081u, 0x0013_0008_0000_0000UL)]
    [TestCase(0xC000_0082u, 0xFFFF_8000_1234_5678UL)]
    [TestCase(0xC000_0084u, 0x4_7700UL)]
    [TestCase(0xC000_0100u, 0x1_2345_6789UL)]
    [TestCase(0xC000_0102u, 0xFFFF_FFFF_8000_0000UL)]
    [TestCase(0x277u, 0x0007_0105_0600_0406UL)]
    public void A_model_specific_register_keeps(uint index, ulong value)
    {
        Guest.RunKernel((c, _) =>
        {
            c.mov(ecx, index);
            c.mov(eax, (uint)value);
            c.mov(edx, (uint)(value >> 32));
            c.wrmsr();
            c.xor(eax, eax);
            c.xor(edx, edx);
            c.rdmsr();
            c.shl(rdx, 32);
            c.or(rax, rdx);
            c.hlt();
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(value));
    }

    [Test]
    public void Performance_counters_are_not_there()
    {
        Guest.RunKernel((c, at) => { c.mov(ecx, 0x4000); at.Here(); c.rdpmc(); });

        AssertFault(GeneralProtection, 0);
    }

    [Test]
    public void Rdpid_reads_the_auxiliary_register()
    {
        Guest.Require(7, 2, 22, "RDPID");
        Guest.Machine.SetMsrs([new ModelSpecificRegister(0xC000_0103, 0x123)]);

        Guest.RunUser((c, _) => { c.rdpid(rax); c.@int(Exit); });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x123));
    }

    [Test]
    public void Rdrand_sets_the_carry_flag_alone()
    {
        Guest.Require(1, 2, 30, "RDRAND");

        Guest.RunUser((c, _) => { c.mov(eax, -1); c.add(eax, 1); c.rdrand(rbx); c.pushfq(); c.pop(rax); c.@int(Exit); });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax & 0x8D5, Is.EqualTo(1));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Features_that_cpuid_does_not_report_are_not_available(bool wait)
    {
        if (!IsEmulator)
        {
            Assert.Ignore("KVM executes MONITOR and MWAIT as no-operations, reported or not");
        }

        Guest.RunKernel((c, at) =>
        {
            at.Here();
            if (wait)
            {
                c.mwait();
            }
            else
            {
                c.monitor();
            }
        });

        AssertFault(InvalidOpcode);
    }
}

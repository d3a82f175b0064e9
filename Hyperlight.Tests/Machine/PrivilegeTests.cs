using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>What CPL 3 may not do, and what opens it.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class PrivilegeTests(TestTarget target) : MachineTest(target)
{
    /// <summary>Where the bitmap of ports begins in the task state segment.</summary>
    private const int IoMap = 0x68;

    private static IEnumerable<TestCaseData> Privileged()
    {
        yield return Case("hlt", c => c.hlt());
        yield return Case("cli", c => c.cli());
        yield return Case("sti", c => c.sti());
        yield return Case("in", c => c.@in(al, 0x10));
        yield return Case("out", c => c.@out(dx, eax));
        yield return Case("ins", c => c.insb());
        yield return Case("outs", c => c.outsb());
        yield return Case("lgdt", c => c.lgdt(__[UserData]));
        yield return Case("lidt", c => c.lidt(__[UserData]));
        yield return Case("lldt", c => c.lldt(ax));
        yield return Case("ltr", c => c.ltr(ax));
        yield return Case("lmsw", c => c.lmsw(ax));
        yield return Case("clts", c => c.clts());
        yield return Case("mov from cr0", c => c.mov(rax, cr0));
        yield return Case("mov to cr3", c => c.mov(cr3, rax));
        yield return Case("mov from cr8", c => c.mov(rax, cr8));
        yield return Case("mov from dr7", c => c.mov(rax, dr7));
        yield return Case("mov to dr0", c => c.mov(dr0, rax));
        yield return Case("invlpg", c => c.invlpg(__[UserData]));
        yield return Case("wbinvd", c => c.wbinvd());
        yield return Case("invd", c => c.invd());
        yield return Case("rdmsr", c => c.rdmsr());
        yield return Case("wrmsr", c => c.wrmsr());
        yield return Case("swapgs", c => c.swapgs());
        yield return Case("sysretq", c => c.sysretq());

        static TestCaseData Case(string name, Action<Assembler> code) => new TestCaseData(code).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Privileged))]
    public void A_privileged_instruction_at_cpl_3_is_refused(Action<Assembler> code)
    {
        Guest.RunUser((c, at) => { at.Here(); code(c); });

        AssertFault(GeneralProtection, 0);
        Assert.That((Only.Cs, Only.Ss, Only.Rsp), Is.EqualTo(((ulong)UserCodeSelector, (ulong)UserDataSelector, UserStackTop)));
        Assert.That((Only.HandlerCs, Only.HandlerSs, Only.Frame), Is.EqualTo((KernelCodeSelector, (ushort)0, KernelStackTop - 48)));
    }

    [Test]
    public void Iopl_opens_cli_and_sti_but_not_hlt()
    {
        Guest.Flags |= IoPrivilege3;

        Guest.RunUser((c, at) => { c.sti(); c.pushfq(); c.pop(rbx); c.cli(); c.pushfq(); c.pop(rcx); at.Here(); c.hlt(); });

        AssertFault(GeneralProtection, 0);
        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx & 0x3200, registers.Rcx & 0x3200), Is.EqualTo((0x3200UL, 0x3000UL)));
    }

    [Test]
    public void Popf_at_cpl_3_changes_neither_iopl_nor_the_interrupt_flag()
    {
        Guest.RunUser((c, _) =>
        {
            c.push(0x27_7ED5 & ~0x100);
            c.popfq();
            c.pushfq();
            c.pop(rax);
            c.push(2);
            c.popfq();
            c.@int(Exit);
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x24_4CD7));
    }

    [Test]
    public void Popf_at_cpl_0_changes_iopl_and_the_interrupt_flag()
    {
        Guest.RunKernel((c, _) => { c.push(0x3202); c.popfq(); c.pushfq(); c.pop(rax); c.cli(); c.hlt(); });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x3202));
    }

    [TestCase(0x200, 0xF0, true)]
    [TestCase(0x201, 0xE1, true)]
    [TestCase(0x204, 0x0F, true)]
    [TestCase(0x201, 0x10, false)]
    [TestCase(0x200, 0x08, false)]
    public void The_bitmap_of_the_task_opens_ports_if_it_opens_each_of_an_access(int port, int closed, bool permitted)
    {
        Guest.Memory.GetSpan((nuint)Tss + IoMap + (0x200 / 8), 1)[0] = (byte)closed;
        (VmExit exit, ulong at) = OutAtCpl3(port, IoMap + 0x7F);

        if (permitted)
        {
            Assert.That(exit, Is.EqualTo(VmExit.IoOut((ushort)port, 0, 4)));
        }
        else
        {
            Assert.That((Only.Vector, Only.Error, Only.Rip), Is.EqualTo((GeneralProtection, (ulong?)0, at)));
        }
    }

    /// <summary>The bits of four ports may be in two bytes: two are read always.</summary>
    [TestCase(0, false)]
    [TestCase(1, true)]
    public void The_bitmap_of_the_task_must_have_the_byte_of_a_port_and_another_one(int behind, bool permitted)
    {
        const int port = 0x200;

        (VmExit exit, ulong at) = OutAtCpl3(port, IoMap + (port / 8) + behind);

        if (permitted)
        {
            Assert.That(exit, Is.EqualTo(VmExit.IoOut(port, 0, 4)));
        }
        else
        {
            Assert.That((Only.Vector, Only.Error, Only.Rip), Is.EqualTo((GeneralProtection, (ulong?)0, at)));
        }
    }

    [Test]
    public void The_time_stamp_is_hidden_by_cr4_tsd_at_cpl_3_alone([Values] bool atUser)
    {
        Guest.Special = Guest.Special with { Cr4 = 0x624 };
        if (atUser)
        {
            Guest.RunUser((c, at) => { at.Here(); c.rdtsc(); });
            AssertFault(GeneralProtection, 0);
        }
        else
        {
            Assert.That(Guest.RunKernel((c, _) => { c.rdtsc(); c.hlt(); }), Is.EqualTo(VmExit.Halt));
        }
    }

    [Test]
    public void Umip_hides_the_tables_from_cpl_3([Values] bool enabled)
    {
        Guest.Require(7, 2, 2, "UMIP");
        Guest.Special = Guest.Special with { Cr4 = enabled ? 0xE20UL : 0x620 };

        VmExit exit = Guest.RunUser((c, at) => { at.Here(); c.sgdt(__[UserData]); c.@int(Exit); });

        if (enabled)
        {
            AssertFault(GeneralProtection, 0);
        }
        else
        {
            Assert.That(exit, Is.EqualTo(VmExit.Halt));
        }
    }

    [Test]
    public void A_software_interrupt_needs_an_open_gate()
    {
        Guest.RunUser((c, at) => { at.Here(); c.@int(0x55); });

        AssertGateFault(GeneralProtection, 0x55, isExternal: false);
    }

    [Test]
    public void An_open_gate_is_entered_behind_the_instruction()
    {
        Guest.RunUser((c, at) => { c.@int(Open); at.Here(); c.@int(Exit); });

        Assert.That((Only.Vector, Only.Rip, Only.Flags & ResumeFlag), Is.EqualTo((Open, Guest.At, 0UL)));
    }

    [Test]
    public void A_breakpoint_instruction_traps()
    {
        Guest.RunUser((c, at) => { c.int3(); at.Here(); c.@int(Exit); });

        Assert.That((Only.Vector, Only.Rip), Is.EqualTo((Breakpoint, Guest.At)));
    }

    /// <summary>Writes to a port with the bitmap of a task, which ends with the limit of its segment.</summary>
    private (VmExit Exit, ulong At) OutAtCpl3(int port, int limit)
    {
        Guest.Write(Gdt + TssSelector, (0x0000_8900_0000_0000 + (ulong)limit) | (Tss << 16));
        ulong at = Guest.Place(UserCode, (c, mark) => { c.mov(edx, port); mark.Here(); c.@out(dx, eax); });

        // The guest loads the task register itself: the processor that QEMU emulates takes no bitmap of a task that the
        // host made busy.
        VmExit exit = Guest.RunKernel((c, _) =>
        {
            c.mov(eax, TssSelector);
            c.ltr(ax);
            c.xor(eax, eax);
            c.push(UserDataSelector);
            c.push((int)UserStackTop);
            c.push(2);
            c.push(UserCodeSelector);
            c.push((int)UserCode);
            c.iretq();
        });
        return (exit, at);
    }
}

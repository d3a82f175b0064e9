using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>System calls, returns between rings, far calls and gates.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class TransferTests(TestTarget target) : MachineTest(target)
{
    private const uint Star = 0xC000_0081;
    private const uint Lstar = 0xC000_0082;
    private const uint SyscallMask = 0xC000_0084;
    private const uint KernelGsBase = 0xC000_0102;

    [Test]
    public void A_system_call_goes_in_and_comes_back()
    {
        UseSystemCalls(mask: 0x300 | 0x4_0000 | 1);
        Guest.Flags |= AlignmentFlag;
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.mov(__qword_ptr[Data], rcx);
            c.mov(__qword_ptr[Data + 8], r11);
            c.mov(rdx, rsp);
            c.mov(rsp, StackTop);
            c.pushfq();
            c.pop(rbx);
            c.mov(eax, cs);
            c.mov(__qword_ptr[Data + 16], rax);
            c.mov(eax, ss);
            c.mov(__qword_ptr[Data + 24], rax);
            c.mov(rsp, rdx);
            c.sysretq();
        });

        VmExit exit = Guest.RunUser((c, at) =>
        {
            c.stc();
            c.syscall();
            at.Here();
            c.pushfq();
            c.pop(rax);
            c.mov(edx, cs);
            c.mov(edi, ss);
            c.@int(Exit);
        });

        Assert.That(exit, Is.EqualTo(VmExit.Halt));
        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That(
            (Guest.Read(Data), Guest.Read(Data + 8) & 0x4_0301, Guest.Read(Data + 16), Guest.Read(Data + 24)),
            Is.EqualTo((Guest.At, 0x4_0001UL, (ulong)KernelCodeSelector, (ulong)KernelDataSelector)));
        Assert.That(registers.Rbx & 0x4_0301, Is.Zero, "masked");
        Assert.That(
            (registers.Rax & 0x4_0301, registers.Rdx, registers.Rdi),
            Is.EqualTo((0x4_0001UL, (ulong)UserCodeSelector, (ulong)UserDataSelector)));
    }

    [Test]
    public void System_calls_need_efer_sce()
    {
        Guest.Special = Guest.Special with { Efer = 0xD00 };

        Guest.RunUser((c, at) => { at.Here(); c.syscall(); });

        AssertFault(InvalidOpcode);
    }

    [Test]
    public void Sysenter_does_not_exist()
    {
        Guest.RunUser((c, at) => { at.Here(); c.sysenter(); });

        Assert.That(Only.Rip, Is.EqualTo(Guest.At));
        if (IsEmulator)
        {
            AssertFault(InvalidOpcode);
        }
    }

    [Test]
    public void Swapgs_exchanges_the_bases()
    {
        Guest.Machine.SetMsrs([new ModelSpecificRegister(KernelGsBase, Data + 0x100)]);
        Guest.Write(Data + 0x108, 0x1234);

        Guest.RunKernel((c, _) => { c.swapgs(); c.mov(rax, __qword_ptr.gs[8]); c.hlt(); });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x1234));
    }

    [Test]
    public void The_bases_have_instructions_of_their_own()
    {
        Guest.Require(7, 1, 0, "FSGSBASE");
        Guest.Special = Guest.Special with { Cr4 = 0x1_0620 };
        Guest.Write(UserData + 0x10, 0x77);

        Guest.RunUser((c, _) =>
        {
            c.mov(rax, UserData);
            c.wrfsbase(rax);
            c.mov(rbx, __qword_ptr.fs[0x10]);
            c.mov(rcx, -1);
            c.wrgsbase(ecx);
            c.rdgsbase(rdx);
            c.@int(Exit);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rdx), Is.EqualTo((0x77UL, 0xFFFF_FFFFUL)));
    }

    [Test]
    public void The_instructions_for_bases_need_cr4()
    {
        Guest.RunKernel((c, at) => { at.Here(); c.rdfsbase(rax); });

        AssertFault(InvalidOpcode);
    }

    [Test]
    public void Iretq_goes_to_the_outer_ring_and_takes_privileged_segments_away()
    {
        Guest.Place(UserCode, (c, _) =>
        {
            c.mov(eax, cs);
            c.mov(ebx, ss);
            c.mov(ecx, ds);
            c.mov(edx, es);
            c.pushfq();
            c.pop(rsi);
            c.@int(Exit);
        });

        Guest.RunKernel((c, _) =>
        {
            c.mov(eax, KernelDataSelector);
            c.mov(ds, eax);
            Frame(c, UserCode, UserCodeSelector, 0x1_0ED7 | IoPrivilege3 | InterruptFlag, UserStackTop, UserDataSelector);
            c.iretq();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That(
            (registers.Rax, registers.Rbx, registers.Rcx, registers.Rdx),
            Is.EqualTo(((ulong)UserCodeSelector, (ulong)UserDataSelector, 0UL, (ulong)UserDataSelector)));
        Assert.That(registers.Rsi, Is.EqualTo(0x3ED7));
    }

    [Test]
    public void Iretq_takes_a_null_stack_at_cpl_0()
    {
        Guest.Place(FurtherCode, (c, _) => { c.mov(eax, ss); c.mov(rbx, rsp); c.hlt(); });

        Guest.RunKernel((c, _) =>
        {
            Frame(c, FurtherCode, KernelCodeSelector, 2, StackTop - 8, 0);
            c.iretq();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rax, registers.Rbx), Is.EqualTo((0UL, StackTop - 8)));
    }

    [TestCase((ushort)0, KernelDataSelector, 0UL)]
    [TestCase(UserCodeSelector, (ushort)0, 0UL)]
    [TestCase((ushort)0x28, UserDataSelector, 0x28UL)]
    [TestCase(KernelDataSelector, KernelDataSelector, (ulong)KernelDataSelector)]
    [TestCase(UserCodeSelector, KernelDataSelector, (ulong)KernelDataSelector)]
    [TestCase(KernelCodeSelector, UserDataSelector, 0x20UL)]
    [TestCase((ushort)0xF8, KernelDataSelector, 0xF8UL)]
    public void Iretq_checks_both_selectors(ushort code, ushort stack, ulong error)
    {
        Guest.RunKernel((c, at) => { Frame(c, UserCode, code, 2, UserStackTop, stack); at.Here(); c.iretq(); });

        AssertFault(GeneralProtection, error);
    }

    [Test]
    public void Iretq_with_nested_task_is_refused()
    {
        Guest.Flags |= NestedTaskFlag;

        Guest.RunKernel((c, at) => { Frame(c, UserCode, UserCodeSelector, 2, UserStackTop, UserDataSelector); at.Here(); c.iretq(); });

        AssertFault(GeneralProtection, 0);
    }

    [Test]
    public void An_inner_ring_is_no_place_to_return_to()
    {
        Guest.RunUser((c, at) =>
        {
            Frame(c, KernelCode, KernelCodeSelector, 2, StackTop, KernelDataSelector);
            at.Here();
            c.iretq();
        });

        AssertFault(GeneralProtection, KernelCodeSelector);
    }

    [Test]
    public void A_far_return_goes_to_the_outer_ring()
    {
        Guest.Place(UserCode, (c, _) => { c.mov(eax, cs); c.mov(rbx, rsp); c.@int(Exit); });

        Guest.RunKernel((c, _) =>
        {
            c.push(UserDataSelector);
            c.push((int)(UserStackTop - 0x40));
            c.push(UserCodeSelector);
            c.push((int)UserCode);
            c.db(0x48, 0xCB);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rax, registers.Rbx), Is.EqualTo(((ulong)UserCodeSelector, UserStackTop - 0x40)));
    }

    [Test]
    public void A_far_call_through_a_gate_changes_the_stack()
    {
        Guest.Place(FurtherCode, (c, _) => { c.mov(eax, cs); c.mov(rbx, rsp); c.mov(ecx, ss); c.mov(r8, __[rsp]); c.mov(r9, __[rsp + 16]); c.db(0x48, 0xCB); });
        Guest.Write(UserData + 4, GateSelector | 3);

        Guest.RunUser((c, at) =>
        {
            c.call(__fword_ptr[UserData]);
            at.Here();
            c.mov(edx, cs);
            c.mov(rsi, rsp);
            c.@int(Exit);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rax, registers.Rbx, registers.Rcx), Is.EqualTo(((ulong)KernelCodeSelector, KernelStackTop - 32, 0UL)));
        Assert.That((registers.Rdx, registers.Rsi), Is.EqualTo(((ulong)UserCodeSelector, UserStackTop)));
        Assert.That((registers.R8, registers.R9), Is.EqualTo((Guest.At, UserStackTop)), "what the gate pushed");
    }

    [Test]
    public void A_far_jump_stays_in_the_ring([Values] bool toUser)
    {
        Guest.Place(FurtherCode, (c, _) => { c.mov(eax, cs); c.hlt(); });
        Guest.Write(Data, FurtherCode | ((ulong)(toUser ? UserCodeSelector : KernelCodeSelector) << 32));

        Guest.RunKernel((c, at) => { at.Here(); c.jmp(__fword_ptr[Data]); });

        if (toUser)
        {
            AssertFault(GeneralProtection, UserCodeSelector & ~3UL);
        }
        else
        {
            Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo((ulong)KernelCodeSelector));
        }
    }

    private static void Frame(Assembler c, ulong rip, ushort code, ulong flags, ulong rsp, ushort stack)
    {
        c.push(stack);
        c.push((int)rsp);
        c.push((int)flags);
        c.push(code);
        c.push((int)rip);
    }

    private void UseSystemCalls(ulong mask) => Guest.Machine.SetMsrs(
    [
        new ModelSpecificRegister(Star, (0x18UL << 48) | ((ulong)KernelCodeSelector << 32)),
        new ModelSpecificRegister(Lstar, FurtherCode),
        new ModelSpecificRegister(SyscallMask, mask),
    ]);
}

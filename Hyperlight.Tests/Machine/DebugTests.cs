using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Single step and hardware breakpoints, as a debugger inside the guest sees them.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class DebugTests(TestTarget target) : MachineTest(target)
{
    private const ulong SingleStep = 0x4000;
    private const ulong AccessDetected = 0x2000;
    private const ulong Dr6Reset = 0xFFFF_0FF0;

    [Test]
    public void Each_instruction_is_stepped()
    {
        Guest.Flags |= TrapFlag;

        Guest.RunUser((c, at) => { c.nop(); at.Here(); c.nop(); c.inc(eax); c.@int(Exit); });

        // The step behind INT does not come: its gate cleared TF.
        Assert.That(Guest.Events.Select(e => e.Rip), Is.EqualTo(new[] { Guest.At, Guest.At + 1, Guest.At + 3 }));
        Assert.That(Guest.Events.Select(e => e.Dr6 & SingleStep), Is.All.EqualTo(SingleStep));
        Assert.That(Guest.Events.Select(e => e.HandlerFlags & TrapFlag), Is.All.Zero);
        Assert.That(Guest.Events.Select(e => e.Flags & (TrapFlag | ResumeFlag)), Is.All.EqualTo(TrapFlag));
    }

    [Test]
    public void Popf_steps_from_the_instruction_behind_it()
    {
        Guest.RunKernel((c, at) =>
        {
            c.push((int)(TrapFlag | 2));
            c.popfq();
            c.nop();
            at.Here();
            c.push(2);
            c.popfq();
            c.nop();
            c.hlt();
        });

        Assert.That(Guest.Events.Select(e => e.Rip), Is.EqualTo(new[] { Guest.At, Guest.At + 2, Guest.At + 3 }));
    }

    [Test]
    public void A_repeated_instruction_steps_with_each_element()
    {
        Guest.Flags |= TrapFlag;

        Guest.RunUser((c, at) =>
        {
            c.mov(edi, (uint)UserData);
            c.mov(ecx, 3);
            at.Here();
            c.rep.stosb();
            c.@int(Exit);
        });

        Assert.That(
            Guest.Events.Skip(1).Select(e => e.Rip), Is.EqualTo(new[] { Guest.At, Guest.At, Guest.At, Guest.At + 2 }));
    }

    [Test]
    public void No_step_comes_behind_a_load_of_the_stack_segment()
    {
        Guest.Flags |= TrapFlag;

        Guest.RunUser((c, at) =>
        {
            c.mov(eax, UserDataSelector);
            c.mov(ss, eax);
            c.nop();
            at.Here();
            c.@int(Exit);
        });

        Assert.That(Guest.Events.Select(e => e.Rip), Is.EqualTo(new[] { UserCode + 5, Guest.At }));
    }

    [Test]
    public void An_int1_traps_without_a_word_in_dr6()
    {
        SkipOnQemu("has no INT1");

        Guest.RunKernel((c, at) => { c.int1(); at.Here(); c.hlt(); });

        Assert.That((Only.Vector, Only.Rip, Only.Dr6 & SingleStep), Is.EqualTo((Debug, Guest.At, 0UL)));
    }

    [Test]
    public void A_breakpoint_on_an_instruction_comes_before_it_and_the_resume_flag_passes_it()
    {
        Guest.SetGate(Debug, handler: FurtherCode);
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.@out(Debug, al);
            c.or(__dword_ptr[rsp + 16], (int)ResumeFlag);
            c.iretq();
        });

        Guest.Place(KernelCode + 0x40, (c, _) => { c.inc(ebx); c.hlt(); });

        Guest.RunKernel((c, _) => { Arm(c, 0, KernelCode + 0x40, 0); c.jmp(KernelCode + 0x40); });

        Assert.That((Only.Vector, Only.Rip, Only.Dr6 & 0xF), Is.EqualTo((Debug, KernelCode + 0x40, 1UL)));
    }

    [TestCase(1, 0, 0u, 1, true)]
    [TestCase(1, 0, 0u, 1, false)]
    [TestCase(3, 3, 2u, 1, true)]
    [TestCase(3, 3, 4u, 1, null)]
    [TestCase(3, 2, 7u, 1, true)]
    [TestCase(3, 1, 1u, 2, false)]
    public void A_breakpoint_on_data_comes_behind_the_access(int kind, int length, uint offset, int size, bool? write)
    {
        SkipOnQemu("crashes where a data breakpoint is met in a guest");

        VmExit exit = Guest.RunKernel((c, at) =>
        {
            Arm(c, 1, Data, kind | (length << 2));
            c.xor(eax, eax);
            if (write == false && size == 1)
            {
                c.mov(al, __[Data + offset]);
            }
            else if (size == 1)
            {
                c.mov(__[Data + offset], al);
            }
            else
            {
                c.mov(ax, __[Data + offset]);
            }

            at.Here();
            c.hlt();
        });

        bool isMet = write is not null && (kind == 3 || write == true);
        Assert.That(exit, Is.EqualTo(VmExit.Halt));
        Assert.That(Guest.Events.Select(e => (e.Rip, e.Dr6 & 0xF)), Is.EqualTo(isMet ? [(Guest.At, 2UL)] : Array.Empty<(ulong, ulong)>()));
    }

    [Test]
    public void A_breakpoint_on_data_is_met_where_the_data_were_accessed_before([Values] bool write)
    {
        SkipOnQemu("crashes where a data breakpoint is met in a guest");

        Guest.RunKernel((c, at) =>
        {
            c.mov(__byte_ptr[Data], 1);
            c.mov(__byte_ptr[Data], 2);
            c.mov(cl, __byte_ptr[Data]);
            Arm(c, 1, Data, 3);
            if (write)
            {
                c.mov(__byte_ptr[Data], 3);
            }
            else
            {
                c.mov(cl, __byte_ptr[Data]);
            }

            at.Here();
            c.hlt();
        });

        Assert.That((Only.Vector, Only.Rip, Only.Dr6 & 0xF), Is.EqualTo((Debug, Guest.At, 2UL)));
    }

    [Test]
    public void Access_to_a_debug_register_is_detected_and_then_allowed()
    {
        SkipOnQemu("knows no general detect");

        Guest.RunKernel((c, at) => { c.mov(eax, 0x2400); c.mov(dr7, rax); at.Here(); c.mov(rbx, dr0); c.hlt(); });

        Assert.That((Only.Vector, Only.Rip), Is.EqualTo((Debug, Guest.At)));
        Assert.That((Only.Dr6 & AccessDetected, Only.Dr7 & AccessDetected), Is.EqualTo((AccessDetected, 0UL)));
    }

    [Test]
    public void Dr4_is_dr6_unless_the_extensions_are_on([Values] bool extensions)
    {
        Guest.Special = Guest.Special with { Cr4 = extensions ? 0x628UL : 0x620 };

        Guest.RunKernel((c, at) => { at.Here(); c.db(0x0F, 0x21, 0xE0); c.hlt(); });

        if (extensions)
        {
            AssertFault(InvalidOpcode);
        }
        else
        {
            Assert.That(Guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(Dr6Reset));
        }
    }

    [Test]
    public void Debug_registers_keep_their_fixed_bits()
    {
        Guest.RunKernel((c, _) =>
        {
            c.mov(eax, 0xFFFF_FFFF);
            c.mov(dr6, rax);
            c.mov(rbx, dr6);
            c.xor(eax, eax);
            c.mov(dr6, rax);
            c.mov(rcx, dr6);
            c.mov(dr7, rax);
            c.mov(rdx, dr7);
            c.hlt();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();

        // Bits 11 and 16 are fixed ones only where bus locks and transactions are not known; QEMU lets bit 12 be written.
        ulong ignored = IsOnQemu ? 0x1_1800UL : 0x1_0800;
        Assert.That(
            (registers.Rbx | ignored, registers.Rcx | ignored, registers.Rdx),
            Is.EqualTo((0xFFFF_EFFFUL | ignored, Dr6Reset | ignored, 0x400UL)));
    }

    [TestCase(6)]
    [TestCase(7)]
    public void The_upper_half_of_a_control_register_of_debugging_is_reserved(int register)
    {
        Guest.RunKernel((c, at) =>
        {
            c.mov(rax, 1UL << 32);
            at.Here();
            c.mov(register == 6 ? dr6 : dr7, rax);
        });

        AssertFault(GeneralProtection, 0);
    }

    private static void Arm(Iced.Intel.Assembler c, int index, ulong address, int control)
    {
        c.mov(rax, address);
        c.mov(index == 0 ? dr0 : dr1, rax);
        c.mov(rax, 0x400UL | (3UL << (2 * index)) | ((ulong)control << (16 + (4 * index))));
        c.mov(dr7, rax);
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>How exceptions reach their handlers, and what happens where they cannot.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class DeliveryTests(TestTarget target) : MachineTest(target)
{
    private const ulong NotCanonical = 0x8000_0000_0000_0000;

    [Test]
    public void A_fault_at_cpl_0_keeps_the_stack_aligned_and_pushes_where_it_was()
    {
        Guest.Flags |= InterruptFlag;

        Guest.RunKernel((c, at) => { c.sub(rsp, 4); at.Here(); c.ud2(); });

        AssertFault(InvalidOpcode);
        Assert.That(
            (Only.Cs, Only.Ss, Only.Rsp, Only.Frame),
            Is.EqualTo(((ulong)KernelCodeSelector, (ulong)KernelDataSelector, StackTop - 4, StackTop - 16 - 40)));
        Assert.That((Only.Flags & InterruptFlag, Only.HandlerFlags & InterruptFlag), Is.EqualTo((InterruptFlag, 0UL)));
    }

    [Test]
    public void A_trap_gate_keeps_the_interrupt_flag_and_both_clear_nested_task()
    {
        Guest.SetGate(InvalidOpcode, type: 0xF);
        Guest.Flags |= InterruptFlag | NestedTaskFlag;

        Guest.RunKernel((c, at) => { at.Here(); c.ud2(); });

        Assert.That(Only.Flags & NestedTaskFlag, Is.EqualTo(NestedTaskFlag));
        Assert.That(Only.HandlerFlags & (InterruptFlag | NestedTaskFlag), Is.EqualTo(InterruptFlag));
    }

    [Test]
    public void An_interrupt_stack_is_used_at_either_level([Values] bool atUser)
    {
        Guest.SetGate(InvalidOpcode, ist: 1);
        _ = atUser
            ? Guest.RunUser((c, at) => { at.Here(); c.ud2(); })
            : Guest.RunKernel((c, at) => { at.Here(); c.ud2(); });

        AssertFault(InvalidOpcode);
        Assert.That(Only.Frame, Is.EqualTo(IstStackTop - 40));
    }

    [TestCase(15, true)]
    [TestCase(14, false)]
    public void A_gate_is_within_the_limit_of_its_table_as_a_whole(int last, bool isWithin)
    {
        Guest.Special = Guest.Special with { Idtr = new DescriptorTableRegister { Base = Idt, Limit = (ushort)((16 * Open) + last) } };

        Guest.RunKernel((c, at) => { at.Here(); c.@int(Open); c.hlt(); });

        if (isWithin)
        {
            Assert.That(Only.Vector, Is.EqualTo(Open));
        }
        else
        {
            AssertGateFault(GeneralProtection, Open, isExternal: false);
        }
    }

    [TestCase(0x2BU, true)]
    [TestCase(0x2AU, false)]
    public void The_address_of_an_interrupt_stack_is_within_the_limit_of_the_task_as_a_whole(uint limit, bool isWithin)
    {
        Guest.SetGate(Open, ist: 1);
        Guest.Special = Guest.Special with { Tr = Guest.Special.Tr with { Limit = limit } };

        Guest.RunKernel((c, at) => { at.Here(); c.@int(Open); c.hlt(); });

        if (isWithin)
        {
            Assert.That((Only.Vector, Only.Frame), Is.EqualTo((Open, IstStackTop - 40)));
        }
        else
        {
            AssertFault(InvalidTss, TssSelector);
        }
    }

    [TestCase(0xC)]
    [TestCase(0x5)]
    public void A_gate_of_another_type_is_refused(int type)
    {
        Guest.SetGate(InvalidOpcode, type: type);

        Guest.RunKernel((c, at) => { at.Here(); c.ud2(); });

        AssertGateFault(GeneralProtection, InvalidOpcode, isExternal: true);
    }

    [Test]
    public void A_gate_that_is_not_present_is_reported([Values] bool bySoftware)
    {
        Guest.SetGate(bySoftware ? Open : InvalidOpcode, present: false);

        Guest.RunKernel((c, at) =>
        {
            at.Here();
            if (bySoftware)
            {
                c.@int(Open);
            }
            else
            {
                c.ud2();
            }
        });

        AssertGateFault(NotPresent, bySoftware ? Open : InvalidOpcode, isExternal: !bySoftware);
    }

    [Test]
    public void A_vector_behind_the_limit_is_refused()
    {
        Guest.Special = Guest.Special with { Idtr = new DescriptorTableRegister { Base = Idt, Limit = (0x40 * 16) - 1 } };

        Guest.RunKernel((c, at) => { at.Here(); c.@int(0x40); });

        AssertGateFault(GeneralProtection, 0x40, isExternal: false);
    }

    [TestCase((ushort)0, GeneralProtection, 0UL)]
    [TestCase(KernelDataSelector, GeneralProtection, (ulong)KernelDataSelector)]
    [TestCase((ushort)0x18, GeneralProtection, 0x18UL)]
    [TestCase((ushort)0x28, GeneralProtection, 0x28UL)]
    [TestCase((ushort)0xF8, GeneralProtection, 0xF8UL)]
    public void A_handler_needs_a_64_bit_code_segment_of_its_level(ushort selector, byte vector, ulong error)
    {
        Guest.SetGate(Open, level: 3, selector: selector);

        Guest.RunKernel((c, at) => { at.Here(); c.@int(Open); });

        AssertFault(vector, error);
    }

    [Test]
    public void A_conforming_handler_stays_at_the_level()
    {
        Guest.SetGate(Open, level: 3, selector: ConformingSelector, handler: UserCode + 0x800);
        Guest.Place(UserCode + 0x800, (c, _) => { c.mov(eax, cs); c.mov(rbx, rsp); c.@int(Exit); });

        Guest.RunUser((c, _) => c.@int(Open));

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rax, registers.Rbx), Is.EqualTo((ConformingSelector | 3UL, UserStackTop - 40)));
    }

    [Test]
    public void A_page_fault_of_the_push_is_a_page_fault_and_then_a_double_fault()
    {
        Guest.SetGate(PageFault, ist: 1);
        Guest.SetGate(DoubleFault, ist: 1);

        Guest.RunKernel((c, at) => { c.mov(rsp, UnmappedStack); at.Here(); c.ud2(); });

        AssertFault(PageFault, 2);
        Assert.That(Only.Cr2, Is.EqualTo(UnmappedStack - 8));
    }

    [Test]
    public void A_page_fault_whose_push_faults_is_a_double_fault()
    {
        Guest.SetGate(DoubleFault, ist: 1);

        Guest.RunKernel((c, at) => { c.mov(rsp, UnmappedStack); at.Here(); c.push(rax); });

        AssertFault(DoubleFault, 0);
        Assert.That(Only.Cr2, Is.EqualTo(UnmappedStack - 8));
    }

    [Test]
    public void Two_contributory_exceptions_are_a_double_fault()
    {
        Guest.SetGate(GeneralProtection, present: false);

        Guest.RunKernel((c, at) => { at.Here(); c.@int(0xFF); c.hlt(); });
        Assert.That(Only.Vector, Is.EqualTo(0xFF), "a benign one first");
        Guest.Events.Clear();
        Guest.RunKernel((c, at) => { c.xor(eax, eax); at.Here(); c.div(eax); });
        Assert.That(Only.Vector, Is.Zero);
        Guest.Events.Clear();

        Guest.SetGate(0, present: false);
        Guest.RunKernel((c, at) => { c.xor(eax, eax); at.Here(); c.div(eax); });

        AssertFault(DoubleFault, 0);
    }

    [Test]
    public void An_interrupt_of_software_is_benign_whatever_its_vector()
    {
        Guest.SetGate(PageFault, present: false);

        Guest.RunKernel((c, at) => { at.Here(); c.@int(PageFault); });

        AssertGateFault(NotPresent, PageFault, isExternal: false);
    }

    [Test]
    public void A_double_fault_that_cannot_be_delivered_shuts_down()
    {
        Guest.SetGate(0, present: false);
        Guest.SetGate(DoubleFault, present: false);

        // The interrupt makes the host map the pages that a delivery touches: QEMU forgets what it delivers where it has
        // to leave the guest for that.
        VmExit exit = Guest.RunKernel((c, _) => { c.@int(Open); c.xor(eax, eax); c.div(eax); });

        Assert.That(exit, Is.EqualTo(VmExit.Shutdown));
    }

    [Test]
    public void A_task_without_stack_pointers_is_reported()
    {
        Guest.Special = Guest.Special with { Tr = Guest.Special.Tr with { Limit = 0x20 } };
        Guest.SetGate(InvalidOpcode, ist: 1);

        Guest.RunKernel((c, at) => { at.Here(); c.ud2(); });

        // QEMU gives no EXT.
        AssertFault(InvalidTss, IsOnQemu ? TssSelector : TssSelector + 1UL);
    }

    /// <summary>The address is RSP0's, so that the fault is met on the way to CPL 0.</summary>
    [Test]
    public void An_inner_stack_that_is_not_canonical_is_a_stack_fault()
    {
        Guest.Write(Tss + 4, NotCanonical);
        Guest.SetGate(StackFault, ist: 1);

        Guest.RunUser((c, at) => { at.Here(); c.ud2(); });

        // External: the interrupted event was no interrupt of software.
        Assert.That((Only.Vector, Only.Rip), Is.EqualTo((StackFault, Guest.At)));
    }

    [Test]
    public void A_user_stack_in_the_ist_is_no_obstacle_to_the_supervisor()
    {
        Guest.Write(Tss + 0x24, UserStackTop);
        Guest.SetGate(InvalidOpcode, ist: 1);

        Guest.RunUser((c, at) => { at.Here(); c.ud2(); });

        Assert.That(Only.Frame, Is.EqualTo(UserStackTop - 40));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void An_address_that_is_not_canonical_is_a_stack_fault_through_rbp_alone(bool throughStack)
    {
        Guest.RunKernel((c, at) =>
        {
            c.mov(rbp, NotCanonical);
            c.mov(rbx, NotCanonical);
            at.Here();
            c.mov(rax, throughStack ? __[rbp] : __[rbx]);
        });

        // QEMU up to version 7 tells the two apart for selectors alone.
        AssertFault(throughStack && !IsOnQemu ? StackFault : GeneralProtection, 0);
    }

    [Test]
    public void A_push_to_an_address_that_is_not_canonical_is_a_stack_fault()
    {
        Guest.SetGate(StackFault, ist: 1);
        Guest.SetGate(GeneralProtection, ist: 1);

        Guest.RunKernel((c, at) => { c.mov(rsp, NotCanonical); at.Here(); c.push(rax); });

        AssertFault(IsOnQemu ? GeneralProtection : StackFault, 0);
    }

    [Test]
    public void A_jump_to_an_address_that_is_not_canonical_faults_at_the_jump([Values] bool byReturn)
    {
        Guest.RunKernel((c, at) =>
        {
            c.mov(rax, NotCanonical);
            c.push(rax);
            at.Here();
            if (byReturn)
            {
                c.ret();
            }
            else
            {
                c.jmp(rax);
            }
        });

        // The emulated processor of some test machines checks the target only when it fetches from it.
        Assert.That((Only.Vector, Only.Error), Is.EqualTo((GeneralProtection, 0UL)));
        Assert.That(Only.Rip, IsEmulator ? Is.EqualTo(Guest.At) : Is.EqualTo(Guest.At).Or.EqualTo(NotCanonical));
    }

    private const ulong UnmappedStack = 0x4000_0000;
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>External interrupts: when a guest takes them, what its handler sees, and that the guest goes on as it was.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class InterruptTests(TestTarget target) : MachineTest(target)
{
    private const byte Vector = 0x40;

    private IInterruptInjector Injector => (IInterruptInjector)Guest.Machine;

    [Test]
    public void The_driver_says_that_its_machines_inject_interrupts() => Assert.That(InjectsInterrupts, Is.True);

    [Test]
    public void A_vector_of_an_exception_is_refused() =>
        Assert.That(() => Injector.TryInjectInterrupt(31), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_halted_guest_is_interrupted_behind_the_halt([Values] bool atUser)
    {
        // At CPL 3 the guest leaves by a port of the handler of an interrupt of its own.
        VmExit exit = atUser
            ? RunUserToPort()
            : RunKernel((c, at) => { c.sti(); c.hlt(); at.Here(); c.hlt(); });
        Assert.That(exit.Reason, Is.EqualTo(atUser ? VmExitReason.IoOut : VmExitReason.Halt));

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);

        Assert.That(Run(), Is.EqualTo(Vector));
        Assert.That(Handled.Rip, Is.EqualTo(Guest.At));
        Assert.That(Handled.Cs & 3, Is.EqualTo(atUser ? 3 : 0));
        Assert.That(Handled.Flags & InterruptFlag, Is.EqualTo(InterruptFlag));
        Assert.That(Handled.HandlerFlags & InterruptFlag, Is.Zero);
        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    [Test]
    public void Interrupts_that_are_off_are_waited_for()
    {
        RunKernel((c, at) =>
        {
            c.hlt();
            c.nop();
            c.sti();
            c.nop();
            at.Here();
            c.nop();
            c.hlt();
        });

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);
        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(Guest.At), "the instruction behind STI is executed first");
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);
        Assert.That(Run(), Is.EqualTo(Vector));
        Assert.That(Handled.Rip, Is.EqualTo(Guest.At));
        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    [Test]
    public void A_return_from_an_interrupt_opens_the_window()
    {
        RunKernel((c, at) =>
        {
            c.@int(Open);
            at.Here();
            c.nop();
            c.hlt();
        }, InterruptFlag);

        // The handler is at its port, with interrupts off.
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);
        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(Guest.At));
    }

    [Test]
    public void A_guest_that_loops_exits_on_request_and_is_interrupted()
    {
        RunKernel(static (c, at) =>
        {
            c.sti();
            c.hlt();
            at.Here();
            c.jmp(at.Label);
        });
        using var requests = new Requests(Injector);

        for (int i = 0; i < 20; i++)
        {
            Interrupt();
            Assert.That(Handled.Rip, Is.EqualTo(Guest.At));
        }
    }

    [Test]
    public void What_is_injected_is_withdrawn_when_pending_state_is_discarded()
    {
        RunKernel(static (c, _) => { c.sti(); c.hlt(); c.nop(); c.hlt(); });
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);

        Guest.Machine.DiscardPendingState();

        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    [Test]
    public void The_wait_for_the_window_is_withdrawn_when_pending_state_is_discarded()
    {
        RunKernel(static (c, _) => { c.hlt(); c.sti(); c.nop(); c.nop(); c.hlt(); });
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);

        Guest.Machine.DiscardPendingState();

        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    /// <summary>The emulator is stopped at any instruction, also within compiled code; the others by requests of another thread.</summary>
    [Test, EndsWithin(500)]
    public void All_registers_keep_their_values_however_often_a_program_is_interrupted()
    {
        int count = IsEmulatedProcessor && !IsEmulator ? 500 : 10_000;
        (GeneralRegisters expected, byte[] vectors) = StartLoop();
        var random = new Random(1);
        using Requests? requests = Guest.Machine is IInstructionCounter ? null : new Requests(Injector);
        for (int i = 0; i < count; i++)
        {
            if (Guest.Machine is IInstructionCounter counter)
            {
                counter.InstructionBudget = random.Next(1, 100);
            }

            Interrupt();
            GeneralRegisters seen = Guest.Machine.GetGeneralRegisters();
            Assert.That(
                seen with { Rip = 0, Rsp = 0, Rflags = 0, Rcx = 0, Rdx = 0 },
                Is.EqualTo(expected with { Rip = 0, Rsp = 0, Rflags = 0, Rcx = 0, Rdx = 0 }));
            Assert.That(Handled.Rsp, Is.EqualTo(UserStackTop));

            // Two registers count together: an instruction executed twice or not at all would part them.
            Assert.That(seen.Rcx + seen.Rdx, Is.EqualTo(0UL).Or.EqualTo(1UL));
            if (i % 100 == 0)
            {
                Assert.That(Vectors(), Is.EqualTo(vectors));
            }
        }

        Assert.That(Vectors(), Is.EqualTo(vectors));
        Assert.That(Guest.Machine.GetGeneralRegisters().Rcx, Is.Not.Zero);
    }

    private MachineEvent Handled => Guest.Events[^1];

    /// <summary>A program that loads all registers, says so, and then counts one up and another one down.</summary>
    private (GeneralRegisters General, byte[] Vectors) StartLoop()
    {
        VmExit exit = Guest.StartUser((c, _) =>
        {
            Label loop = c.CreateLabel();
            AssemblerRegister64[] registers = [rax, rbx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15];
            foreach ((int i, AssemblerRegister64 register) in registers.Index())
            {
                c.mov(register, 0x0123_4567_89AB_CDEF * (ulong)(i + 1));
            }

            AssemblerRegisterXMM[] xmm = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];
            foreach ((int i, AssemblerRegisterXMM register) in xmm.Index())
            {
                c.movq(register, registers[i % registers.Length]);
                c.pshufd(register, register, (byte)(i * 37));
            }

            c.fldpi();
            c.fldl2e();
            c.fld1();
            c.xor(ecx, ecx);
            c.xor(edx, edx);
            c.@int(Open);
            c.Label(ref loop);
            c.inc(rcx);
            c.dec(rdx);
            c.jmp(loop);
        }, InterruptFlag);
        Assert.That(exit.Port, Is.EqualTo(Open));
        return (Guest.Machine.GetGeneralRegisters(), Vectors());
    }

    /// <summary>The x87 and SSE state, without what says which instruction was the last.</summary>
    private byte[] Vectors()
    {
        byte[] image = new byte[Guest.Machine.XsaveSize];
        Guest.Machine.GetXsave(image);
        return [.. image[..5], .. image[24..28], .. image[32..416]];
    }

    private VmExit RunKernel(Action<Assembler, Mark> code, ulong flags = 0)
    {
        Guest.Flags |= flags;
        return Guest.StartKernel(code);
    }

    private VmExit RunUserToPort()
    {
        VmExit exit = Guest.StartUser(static (c, at) =>
        {
            c.@int(Open);
            at.Here();
            c.nop();
            c.@int(Exit);
        }, InterruptFlag);

        // Back behind the INT, with interrupts on.
        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False, "the handler has interrupts off");
        Assert.That(Guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow));
        Assert.That(registers.Rflags & InterruptFlag, Is.Zero);
        return exit;
    }

    /// <summary>Interrupts the guest, which runs, and runs it to the handler.</summary>
    private void Interrupt()
    {
        VmExit exit = Guest.Machine.Run();
        while (exit.Reason is VmExitReason.Cancelled or VmExitReason.InterruptWindow or VmExitReason.InstructionBudgetExhausted)
        {
            if (Guest.Machine is IInstructionCounter counter)
            {
                counter.InstructionBudget = 1000;
            }

            if (Injector.TryInjectInterrupt(Vector))
            {
                break;
            }

            exit = Guest.Machine.Run();
        }

        Assert.That(exit.Reason, Is.Not.EqualTo(VmExitReason.Halt));
        Assert.That(Run(), Is.EqualTo(Vector));
    }

    /// <summary>Runs to the port of a handler, whatever requests there are.</summary>
    private byte Run()
    {
        VmExit exit = Guest.Machine.Run();
        while (exit.Reason == VmExitReason.Cancelled)
        {
            exit = Guest.Machine.Run();
        }

        Assert.That(exit.Reason, Is.EqualTo(VmExitReason.IoOut), exit.ToString());
        Guest.Note((byte)exit.Port);
        return (byte)exit.Port;
    }

    /// <summary>Asks the machine to exit, again and again, on a thread of its own.</summary>
    private sealed class Requests : IDisposable
    {
        private readonly Thread _thread;
        private volatile bool _ends;

        public Requests(IInterruptInjector injector)
        {
            _thread = new Thread(() =>
            {
                while (!_ends)
                {
                    injector.RequestExit();
                    Thread.SpinWait(100);
                    Thread.Yield();
                }
            });
            _thread.Start();
        }

        public void Dispose()
        {
            _ends = true;
            _thread.Join();
        }
    }
}

using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration;

/// <summary>Guests that behave badly before they are ready for calls, each a few instructions long.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class InitialisationTests(TestTarget target)
{
    private const ulong GoodStack = 0xFFFF_FFFF_FFFF_EF00;

    [Test]
    public void A_guest_that_halts_at_once_is_ready_and_answers_nothing()
    {
        using MultiUseSandbox sandbox = Build(code =>
        {
            code.mov(rsp, GoodStack);
            code.Out(108, 0);
            code.hlt();
        });

        // RAX was 0 at the halt, so the dispatcher is at address 0, which is never mapped: no handler, so a triple fault.
        Assert.That(() => sandbox.Call("f"), Throws.TypeOf<UnexpectedVmExitException>());
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public void A_guest_that_answers_with_nothing_is_reported_each_time()
    {
        using MultiUseSandbox sandbox = Build(code =>
        {
            Label dispatch = code.CreateLabel();
            code.mov(rsp, GoodStack);
            code.lea(rax, __[dispatch]);
            code.Out(108);
            code.Label(ref dispatch);
            code.Out(108);
        });

        for (int i = 0; i < 3; i++)
        {
            Assert.That(() => sandbox.Call("f"), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("no message"));
            Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
        }
    }

    [Test]
    public void A_misaligned_stack_pointer() => AssertFails(
        code =>
        {
            code.mov(rsp, GoodStack + 8);
            code.Out(108, 0);
        },
        Does.Contain("stack pointer"));

    [Test]
    public void An_abort()
    {
        GuestInitializationException error = AssertFails(
            code =>
            {
                code.Out(102, 0x0000_0D01);
                code.Out(102, 0x0069_6802);
                code.Out(102, 0x0000_FF01);
            },
            Does.Contain("hi"));

        Assert.That(((GuestAbortedException)error.InnerException!).Code, Is.EqualTo(13));
    }

    [Test]
    public void A_triple_fault() => AssertFails(code => code.ud2(), Does.Contain("triple fault"));

    [Test]
    public void A_null_pointer() => AssertFails(code => code.mov(rax, __[0]), Does.Contain("triple fault"));

    [Test]
    public void A_write_to_the_image_before_there_is_a_handler() =>
        AssertFails(code => code.mov(__dword_ptr[0x1000], eax), Does.Contain("triple fault"));

    [Test]
    public void Executing_scratch_memory() => AssertFails(
        code =>
        {
            code.mov(rax, GoodStack);
            code.jmp(rax);
        },
        Does.Contain("triple fault"));

    [Test]
    public void An_unknown_port() => AssertFails(code => code.Out(55, 1), Does.Contain("port 55"));

    [Test]
    public void An_invalid_host_call_during_the_initialisation() => AssertFails(code => code.Out(101, 0), Does.Contain("no message"));

    [Test]
    public void Zeroes_instead_of_code() => Assert.That(
        () => Builder(GuestBinary.FromBytes(Host.Elf.TestElf.OfCode(new byte[64]).Build())).Build(),
        Throws.TypeOf<GuestInitializationException>());

    [Test]
    public void A_guest_that_never_becomes_ready_is_cancelled()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        Assert.That(
            () => Builder(TinyGuest.Assemble(Spin)).Build(source.Token),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("CancellationToken").EqualTo(source.Token));
    }

    [Test]
    public void A_guest_that_never_becomes_ready_ends_at_its_time_limit() => Assert.That(
        () => Builder(TinyGuest.Assemble(Spin))
            .WithConfiguration(new SandboxConfiguration { Budget = new CallBudget { WallClockTime = TimeSpan.FromMilliseconds(50) } })
            .Build(),
        Throws.TypeOf<BudgetExceededException>().With.Property("Reason").EqualTo(CancellationReason.Timeout));

    [Test]
    public void The_entry_registers_are_the_abis()
    {
        // The guest aborts with the code of the first register that is not what the ABI says, or with 200.
        GuestInitializationException error = AssertFails(
            code =>
            {
                byte check = 1;
                void Expect(Action<Label> compareAndBranch)
                {
                    Label ok = code.CreateLabel();
                    compareAndBranch(ok);
                    code.Out(102, 0x00FF_0002u | ((uint)check << 8));
                    code.Label(ref ok);
                    check++;
                }

                void ExpectZero(AssemblerRegister64 register) => Expect(ok =>
                {
                    code.test(register, register);
                    code.je(ok);
                });

                ExpectZero(rax);
                ExpectZero(rbx);
                ExpectZero(rbp);
                ExpectZero(r8);
                ExpectZero(r9);
                ExpectZero(r10);
                ExpectZero(r11);
                ExpectZero(r12);
                ExpectZero(r13);
                ExpectZero(r14);
                ExpectZero(r15);
                Expect(ok =>
                {
                    code.cmp(rdx, 4096);
                    code.je(ok);
                });
                Expect(ok =>
                {
                    code.mov(rbx, 0xFFFF_FFFF_FFFF_EFC8);
                    code.cmp(rsp, rbx);
                    code.je(ok);
                });
                Expect(ok =>
                {
                    code.cmp(rdi, 0x2000);
                    code.je(ok);
                });
                code.Out(102, 0x00FF_C802);
            },
            Does.Contain("code 200"));

        Assert.That(((GuestAbortedException)error.InnerException!).Code, Is.EqualTo(200));
    }

    [TestCase("0.15.0", true)]
    [TestCase("0.16.9", true)]
    [TestCase("0.14.0", false)]
    [TestCase("0.15.0-rc1", false)]
    [TestCase("1.0.0", false)]
    public void Version_policy(string version, bool accepted)
    {
        SandboxBuilder builder = Builder(TinyGuest.Assemble(ReadyAtOnce, version));

        if (accepted)
        {
            builder.Build().Dispose();
        }
        else
        {
            Assert.That(() => builder.Build(), Throws.TypeOf<GuestVersionMismatchException>().With.Message.Contains(version));
        }

        builder.WithConfiguration(new SandboxConfiguration { AcceptedGuestVersions = GuestVersionPolicy.Any }).Build().Dispose();
    }

    [Test]
    public void A_guest_too_large_for_guest_memory_is_refused_before_memory_is_taken()
    {
        var elf = new Host.Elf.TestElf { Segments = [new(0, [0xF4]) { MemorySize = 1UL << 40 }] };

        Assert.That(
            () => Builder(GuestBinary.FromBytes(elf.Build())).BuildUninitialized(),
            Throws.TypeOf<MemoryRequestException>().With.Property(nameof(MemoryRequestException.Requested)).EqualTo(1UL << 40));
    }

    private static void Spin(Assembler code)
    {
        Label self = code.CreateLabel();
        code.Label(ref self);
        code.jmp(self);
    }

    private static void ReadyAtOnce(Assembler code)
    {
        code.mov(rsp, GoodStack);
        code.Out(108, 0);
    }

    private SandboxBuilder Builder(GuestBinary guest) => target.Builder().WithGuest(guest);

    private MultiUseSandbox Build(Action<Assembler> code) => Builder(TinyGuest.Assemble(code)).Build();

    private GuestInitializationException AssertFails(Action<Assembler> code, NUnit.Framework.Constraints.IResolveConstraint message)
    {
        GuestInitializationException error = Assert.Throws<GuestInitializationException>(() => Build(code))!;
        Assert.That(error.Message, message);
        return error;
    }
}

using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Faults, code that changes, and requests from outside.</summary>
[TestFixture]
internal sealed class MachineTests
{
    private const ulong GdtAddress = 0x5000;
    private const ulong IdtAddress = 0x6000;
    private const ulong HandlerAddress = 0x9000;
    private const int PageDirectory = 0x3000;

    /// <summary>A page of the second large page, whose entry each test chooses.</summary>
    private const ulong TestAddress = 0x20_0000;
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong Large = 0x80;
    private const ulong NoExecute = 1UL << 63;
    private const ulong BeyondPhysicalSpace = 1UL << 40;

    [TestCase(0UL, Access.Read, 0x0UL)]
    [TestCase(0UL, Access.Write, 0x2UL)]
    [TestCase(0UL, Access.Execute, 0x10UL)]
    [TestCase(Present | Large, Access.Write, 0x3UL)]
    [TestCase(Present | Writable | Large | NoExecute, Access.Execute, 0x11UL)]
    [TestCase(Present | Writable | Large | BeyondPhysicalSpace, Access.Read, 0x9UL)]
    [TestCase(Present | Writable | Large | 0x2000, Access.Read, 0x9UL)]
    public void A_page_fault_says_what_happened(ulong entry, Access access, ulong errorCode)
    {
        using LongModeGuest guest = WithHandler(c =>
        {
            c.mov(ebx, (uint)TestAddress + 0x123);
            switch (access)
            {
                case Access.Read: c.mov(eax, __[rbx]); break;
                case Access.Write: c.add(__dword_ptr[rbx], 1); break;
                default: c.jmp(rbx); break;
            }
        });
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan(PageDirectory + 8, 8), entry);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, (uint)errorCode, 4)));
        Assert.That(guest.Machine.GetSpecialRegisters().Cr2, Is.EqualTo(TestAddress + 0x123));
    }

    [Test]
    public void Translations_mark_entries_as_accessed_and_dirty()
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(), c =>
        {
            c.mov(eax, __[LongModeGuest.DataAddress]);
            c.hlt();
            c.mov(__[LongModeGuest.DataAddress], eax);
            c.hlt();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Memory.GetSpan(PageDirectory, 1)[0] & 0x60, Is.EqualTo(0x20));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Memory.GetSpan(PageDirectory, 1)[0] & 0x60, Is.EqualTo(0x60));
    }

    /// <summary>The second instruction is in the block that the first one runs in.</summary>
    [Test]
    public void An_instruction_that_was_just_written_is_executed()
    {
        // mov ebx, the address of the immediate; mov byte [rbx], 42; mov al, 1; hlt
        byte[] code = [0xBB, 0x09, 0x80, 0, 0, 0xC6, 0x03, 0x2A, 0xB0, 0x01, 0xF4];
        using var guest = new LongModeGuest(new EmulatorHypervisor(), code);

        for (int i = 0; i < 2; i++)
        {
            guest.Restart();
            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(42));
        }
    }

    [Test]
    public void Code_that_the_host_replaced_is_executed()
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(), c => { c.mov(eax, 1); c.hlt(); });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        guest.Memory.Write((nuint)LongModeGuest.CodeAddress, LongModeGuest.Assemble(c => { c.mov(eax, 2); c.hlt(); }));
        guest.Restart();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(2));
    }

    [Test]
    public void A_step_that_was_due_when_the_host_set_the_registers_does_not_come()
    {
        const ulong trapFlag = 0x100;
        using var guest = new LongModeGuest(new EmulatorHypervisor(), c => { c.@out(0x10, al); c.hlt(); });
        guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with { Rflags = GeneralRegisters.RflagsReset | trapFlag });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));

        guest.Restart();

        // The exception would end the machine, which has no handler.
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x10, 0, 1)));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
    }

    [Test]
    public void A_cancelled_string_instruction_continues_where_it_stopped()
    {
        using var guest = new LongModeGuest(new EmulatorHypervisor(), c => { c.rep.stosb(); c.hlt(); });
        guest.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rip = LongModeGuest.CodeAddress,
            Rcx = 0x2000,
            Rdi = LongModeGuest.DataAddress,
            Rax = 7,
            Rflags = 2,
        });
        guest.Machine.Cancel();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(
            guest.Memory.GetSpan((nuint)LongModeGuest.DataAddress, 0x2000).IndexOfAnyExcept((byte)7), Is.EqualTo(-1));
    }

    [Test]
    public async Task Instructions_are_counted_while_the_guest_runs([Values] bool translates)
    {
        var emulator = new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = translates });
        using var guest = new LongModeGuest(emulator, c => { Label loop = c.CreateLabel(); c.Label(ref loop); c.inc(rax); c.jmp(loop); });
        var counter = (IInstructionCounter)guest.Machine;
        Task<VmExit> run = Task.Run(guest.Machine.Run);

        bool isCounted = SpinWait.SpinUntil(() => counter.InstructionCount > 1_000_000, TimeSpan.FromMinutes(1));
        guest.Machine.Cancel();

        Assert.That(await run, Is.EqualTo(VmExit.Cancelled));
        Assert.That(isCounted, Is.True);
        Assert.That(counter.InstructionCount, Is.GreaterThan(1_000_000));
        long count = counter.InstructionCount;
        guest.Machine.Dispose();
        Assert.That(counter.InstructionCount, Is.EqualTo(count));
    }

    [Test]
    public void Random_code_raises_no_exception_in_the_host()
    {
        const int seed = 5;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] code = new byte[256];
        using var guest = new LongModeGuest(new EmulatorHypervisor(), code);
        byte[] clean = new byte[(int)guest.Memory.Size];
        guest.Memory.Read(0, clean);
        for (int i = 0; i < 2000; i++)
        {
            guest.Memory.Write(0, clean);
            random.NextBytes(code);
            guest.Memory.Write((nuint)LongModeGuest.CodeAddress, code);
            guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters);
            guest.Restart();
            using var timer = new Timer(_ => guest.Machine.Cancel(), null, 10, Timeout.Infinite);

            Assert.That(() => guest.Machine.Run(), Throws.Nothing);
        }
    }

    [Test]
    public void A_budget_ends_every_tier_in_the_same_state([Values(1, 2, 99, 1000, 1001, 1003, 5432)] long budget)
    {
        var states = new List<GeneralRegisters>();
        foreach (EmulatorOptions options in new EmulatorOptions[] { new() { TranslateHotCode = false }, new() { HotThreshold = 1 }, new() { HotThreshold = 20 }, new() { HotThreshold = 1, Tier = CodeTier.Intermediate } })
        {
            using var guest = new LongModeGuest(new EmulatorHypervisor(options), c =>
            {
                Label loop = c.CreateLabel();
                Label even = c.CreateLabel();
                c.mov(ebx, (uint)LongModeGuest.DataAddress);
                c.Label(ref loop);
                c.inc(rcx);
                c.lea(rax, __[rax + rcx * 4]);
                c.ror(rax, 7);
                c.test(al, 1);
                c.je(even);
                c.add(__qword_ptr[rbx], rax);
                c.sbb(rdx, rax);
                c.Label(ref even);
                c.push(rax);
                c.pop(rsi);
                c.jmp(loop);
            });
            ((IInstructionCounter)guest.Machine).InstructionBudget = budget;

            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));
            Assert.That(((IInstructionCounter)guest.Machine).InstructionCount, Is.EqualTo(budget));
            Assert.That(((IInstructionCounter)guest.Machine).InstructionBudget, Is.Zero);
            states.Add(guest.Machine.GetGeneralRegisters());
        }

        Assert.That(states, Is.All.EqualTo(states[0]));
    }

    /// <summary>The access behind the fault is not one of the fault: its exit stays what it is.</summary>
    [Test]
    public void A_push_to_no_memory_is_an_exit_also_after_an_address_that_is_not_canonical()
    {
        const int Handler = (int)HandlerAddress + 0x100;
        using LongModeGuest guest = WithHandler(static c =>
        {
            c.mov(rbx, 1UL << 63);
            c.mov(rax, __[rbx]);
        });
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan((nuint)IdtAddress + (13 * 16), 8), (ulong)Handler | (8 << 16) | (0x8EUL << 40));
        guest.Memory.Write(Handler, LongModeGuest.Assemble(static c =>
        {
            c.mov(rsp, TestAddress + 0x800);
            c.push(rbx);
        }));
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan(PageDirectory + 8, 8), TestAddress | Present | Writable | Large);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.MmioWrite(TestAddress + 0x7F8, 1UL << 63, 8)));
    }

    /// <summary>A guest whose page faults reach a handler that sends the error code to a port.</summary>
    private static LongModeGuest WithHandler(Action<Assembler> code)
    {
        const ushort codeSelector = 8;
        var guest = new LongModeGuest(new EmulatorHypervisor(), code);
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan((nuint)GdtAddress + codeSelector, 8), 0x00AF_9B00_0000_FFFF);
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan((nuint)IdtAddress + (14 * 16), 8), HandlerAddress | (codeSelector << 16) | (0x8EUL << 40));
        guest.Memory.Write((nuint)HandlerAddress, LongModeGuest.Assemble(c => { c.pop(rax); c.@out(0x64, eax); }));
        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with
        {
            Gdtr = new DescriptorTableRegister { Base = GdtAddress, Limit = 15 },
            Idtr = new DescriptorTableRegister { Base = IdtAddress, Limit = 0xFFF },
        });
        return guest;
    }

    /// <summary>What the guest attempts.</summary>
    internal enum Access
    {
        Read,
        Write,
        Execute,
    }
}

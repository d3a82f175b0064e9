using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Guests that were written to do harm: each ends in a result, in both tiers.</summary>
[TestFixture]
internal sealed class HostileGuestTests
{
    private const ulong GdtAddress = 0x5000;
    private const ulong IdtAddress = 0x6000;
    private const ulong TssAddress = 0x7000;
    private const ulong FirstInterruptStack = 1;
    private const int Budget = 3_000_000;
    private const int CodeSelector = 8;
    private const int PageDirectory = 0x3000;
    private const ulong NoExecute = 1UL << 63;

    /// <summary>The first page of each large page that the tests remap.</summary>
    private const uint SecondLargePage = 0x20_0000;

    [Test]
    public void A_fault_whose_handlers_are_not_mapped_shuts_down([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c => c.ud2());
        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with
        {
            Idtr = new DescriptorTableRegister { Base = 0x1_0000_0000, Limit = 0xFFF },
        });

        Assert.That(Run(guest), Is.EqualTo(VmExit.Shutdown));
    }

    [Test]
    [EndsWithin(300)]
    public void A_handler_that_faults_for_ever_ends_with_the_budget([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c => c.ud2());
        AddHandler(guest, 6, LongModeGuest.CodeAddress);

        Assert.That(Run(guest).Reason, Is.EqualTo(VmExitReason.InstructionBudgetExhausted));
    }

    /// <summary>The handler of page faults is where no instruction can be fetched, so that no instruction is executed again.</summary>
    [TestCase(0x4000_0000UL, 0xFFUL, TestName = "{m}(not mapped)")]
    [TestCase(0x3FFF_FFFFUL, 0x0FUL, TestName = "{m}(from the last byte of what is mapped)")]
    [TestCase(0x20_0000UL, 0x00UL, TestName = "{m}(not executable)")]
    [EndsWithin(300)]
    public void A_handler_that_cannot_be_fetched_ends_with_the_budget(ulong handler, ulong firstByte)
    {
        foreach (bool translates in new[] { false, true })
        {
            using LongModeGuest guest = Create(translates, c =>
            {
                // The jump is hot, so that the fault is met by compiled code where there is some.
                Label again = c.CreateLabel();
                c.mov(ecx, 100);
                c.Label(ref again);
                c.dec(ecx);
                c.jne(again);
                c.mov(rax, handler);
                c.jmp(rax);
            });
            using var last = new ManagedMemoryRegion(0x1000);
            last.Write(0xFFF, [(byte)firstByte]);
            guest.Machine.MapMemory(1, GuestMapping.Whole(0x3FFF_F000, last, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
            AddHandler(guest, 14, handler);
            BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan(PageDirectory + 8, 8), SecondLargePage | NoExecute | 0x83);

            AssertEndsWithBudget(guest);
        }
    }

    [Test]
    [EndsWithin(300)]
    public void A_breakpoint_on_the_handler_of_breakpoints_ends_with_the_budget()
    {
        using LongModeGuest guest = Create(translates: false, c => c.int1());
        AddHandler(guest, 1, 0x9000);
        guest.Machine.SetDebugRegisters(new DebugRegisters { Dr0 = 0x9000, Dr6 = 0xFFFF_0FF0, Dr7 = 0x401 });

        AssertEndsWithBudget(guest);
    }

    [Test]
    public void Recursion_without_end_ends_where_the_stack_does([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c =>
        {
            Label again = c.CreateLabel();
            c.mov(esp, SecondLargePage + 0x1000);
            c.Label(ref again);
            c.call(again);
        });

        Assert.That(Run(guest).Reason, Is.EqualTo(VmExitReason.MmioWrite).Or.EqualTo(VmExitReason.Shutdown));
    }

    [Test]
    public void Recursion_over_its_own_tables_and_code_ends([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.call(again);
        });

        VmExit exit = Run(guest);

        Assert.That(Enum.IsDefined(exit.Reason), Is.True);
        Assert.That(exit.Reason, Is.Not.EqualTo(VmExitReason.Unknown));
    }

    /// <summary>The loop's body is its own operand: every round changes the instruction that the next one executes.</summary>
    [Test]
    public void A_loop_that_rewrites_itself_sees_every_change([Values] bool translates)
    {
        const int Rounds = 5000;

        // xor eax, eax; mov ecx, Rounds; mov ebx, the address of the immediate; add eax, IMM32 (05); inc dword [rbx]; loop
        byte[] code =
        [
            0x31, 0xC0, 0xB9, 0x88, 0x13, 0, 0, 0xBB, 0x0D, 0x80, 0, 0, 0x05, 0, 0, 0, 0, 0xFF, 0x03, 0xE2, 0xF7, 0xF4,
        ];
        using var guest = new LongModeGuest(Hypervisor(translates), code);

        Assert.That(Run(guest), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo((ulong)Rounds * (Rounds - 1) / 2));
    }

    /// <summary>One linear address, two physical pages with different code, exchanged again and again.</summary>
    [Test]
    public void Code_that_is_remapped_is_what_the_tables_say([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c =>
        {
            Label again = c.CreateLabel();
            c.mov(edi, SecondLargePage);
            c.mov(ebp, 1000);
            c.Label(ref again);
            c.mov(__qword_ptr[PageDirectory + 8], 0x83);
            c.invlpg(__[rdi]);
            c.lea(rsi, __[rdi + 0x9000]);
            c.call(rsi);
            c.mov(__qword_ptr[PageDirectory + 8], 0x40_0083);
            c.invlpg(__[rdi]);
            c.call(rsi);
            c.dec(ebp);
            c.jne(again);
            c.hlt();
        });
        guest.Memory.Write(0x9000, LongModeGuest.Assemble(c => { c.add(eax, 1); c.ret(); }));
        using var other = new ManagedMemoryRegion(0x1000);
        other.Write(0, LongModeGuest.Assemble(c => { c.add(ebx, 3); c.ret(); }));
        guest.Machine.MapMemory(1, GuestMapping.Whole(0x40_9000, other, MemoryFlags.Read | MemoryFlags.Execute));

        Assert.That(Run(guest), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(1000));
        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(3000));
    }

    [Test]
    public void Tables_that_are_their_own_tables_translate([Values] bool translates)
    {
        using LongModeGuest guest = Create(translates, c => { c.mov(eax, __[rbx]); c.hlt(); });
        const int RootTable = 0x1000;
        for (int i = 1; i < 512; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan((nuint)(RootTable + (8 * i)), 8), RootTable | 3);
        }

        for (int i = 1; i < 512; i++)
        {
            ulong index = (ulong)i;
            ulong address = (ulong)((long)((index << 39) << 16) >> 16) | (index << 30) | (index << 21) | (index << 12);
            guest.Restart();
            guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with { Rbx = address });
            Assert.That(Run(guest), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x2000 | 3 | 0x20), "the first entry of the root");
        }
    }

    private static EmulatorHypervisor Hypervisor(bool translates) =>
        new(new EmulatorOptions { TranslateHotCode = translates, HotThreshold = 5 });

    private static LongModeGuest Create(bool translates, Action<Assembler> code) => new(Hypervisor(translates), code);

    private static VmExit Run(LongModeGuest guest)
    {
        ((IInstructionCounter)guest.Machine).InstructionBudget = Budget;
        return guest.Machine.Run();
    }

    /// <summary>The guest executes nothing any more; each exception that it meets counts like an instruction that faults.</summary>
    private static void AssertEndsWithBudget(LongModeGuest guest)
    {
        const int Few = 10_000;
        var counter = (IInstructionCounter)guest.Machine;
        counter.InstructionBudget = Few;
        using var timer = new Timer(_ => guest.Machine.Cancel(), null, 60_000, Timeout.Infinite);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));
        Assert.That(counter.InstructionCount, Is.EqualTo(Few));
        Assert.That(counter.InstructionBudget, Is.Zero);
    }

    private static void AddHandler(LongModeGuest guest, int vector, ulong handler)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(
            guest.Memory.GetSpan((nuint)GdtAddress + CodeSelector, 8), 0x00AF_9B00_0000_FFFF);
        Span<byte> gate = guest.Memory.GetSpan((nuint)IdtAddress + ((nuint)vector * 16), 16);
        BinaryPrimitives.WriteUInt64LittleEndian(
            gate, (handler & 0xFFFF) | (CodeSelector << 16) | (FirstInterruptStack << 32) | (0x8EUL << 40) | ((handler >> 16 & 0xFFFF) << 48));
        BinaryPrimitives.WriteUInt64LittleEndian(gate[8..], handler >> 32);
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan((nuint)TssAddress + 0x24, 8), LongModeGuest.StackTop);
        guest.Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters with
        {
            Tr = new SegmentRegister { Base = TssAddress, Limit = 0x67, Attributes = 0x8B },
            Gdtr = new DescriptorTableRegister { Base = GdtAddress, Limit = 15 },
            Idtr = new DescriptorTableRegister { Base = IdtAddress, Limit = 0xFFF },
        });
    }
}

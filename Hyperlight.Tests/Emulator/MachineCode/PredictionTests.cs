using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Emitted code predicts the page of an operand; what it reads and writes is that of its translation, also after that has changed.</summary>
[TestFixture]
internal sealed class PredictionTests
{
    private const ulong First = 0xA000;
    private const ulong Second = 0xB000;

    /// <summary>An address that a page table of the test translates, and where that table is.</summary>
    private const ulong Mapped = 0x20_0000;
    private const ulong PageTable = 0x4000;
    private const ulong DirectoryEntry = 0x3008;
    private const ulong PresentWritable = 3;

    /// <summary>The first address behind the guest's own memory.</summary>
    private const ulong Outside = 0x1_0000;
    private const int Turns = 40;
    private const int Rounds = 3;

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void An_operand_is_in_the_page_that_its_address_is_translated_to_now()
    {
        using var guest = Create(static c =>
        {
            Label again = c.CreateLabel();
            Label accesses = c.CreateLabel();
            c.mov(ecx, Turns);
            c.mov(r8d, (uint)First);
            c.Label(ref again);
            c.lea(rax, __[r8 + (int)PresentWritable]);
            c.mov(__[PageTable], rax);
            c.invlpg(__[Mapped]);

            // The block behind such an instruction is interpreted; a loop is entered again.
            c.mov(r9d, Rounds);
            c.Label(ref accesses);
            c.add(rdx, __qword_ptr[Mapped]);
            c.add(__qword_ptr[Mapped + 8], 1);
            c.mov(rbx, Mapped);
            c.add(rsi, __qword_ptr[rbx]);
            c.add(__qword_ptr[rbx + 16], 1);
            c.dec(r9d);
            c.jne(accesses);
            c.xor(r8d, (uint)(First ^ Second));
            c.dec(ecx);
            c.jne(again);
            c.hlt();
        });
        Write(guest, DirectoryEntry, PageTable | PresentWritable);
        Write(guest, First, 1);
        Write(guest, Second, 1000);

        Run(guest);

        GeneralRegisters registers = guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rdx, registers.Rsi), Is.EqualTo((1001UL * Rounds * Turns / 2, 1001UL * Rounds * Turns / 2)));
        foreach (ulong page in (ulong[])[First, Second])
        {
            Assert.That((Read(guest, page + 8), Read(guest, page + 16)), Is.EqualTo((Rounds * Turns / 2UL, Rounds * Turns / 2UL)));
        }
    }

    [Test]
    public void An_operand_that_changes_pages_and_crosses_them_is_where_its_address_says()
    {
        using var guest = Create(static c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, Turns);
            c.mov(rdi, Second - 64);
            c.Label(ref again);
            c.mov(__qword_ptr[rdi], rcx);
            c.add(rdi, 4);
            c.dec(ecx);
            c.jne(again);
            c.hlt();
        });

        Run(guest);

        for (ulong i = 0; i < Turns; i++)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(guest.Memory.GetSpan((nuint)(Second - 64 + (i * 4)), 4));
            Assert.That(low, Is.EqualTo(Turns - i));
        }
    }

    [Test]
    public void Memory_that_the_host_replaced_is_not_predicted_any_more()
    {
        using var guest = Create(static c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, Turns);
            c.mov(rbx, Outside);
            c.Label(ref again);
            c.add(rdx, __qword_ptr[Outside]);
            c.add(__qword_ptr[rbx + 8], 1);
            c.dec(ecx);
            c.jne(again);
            c.hlt();
        });
        for (ulong value = 1; value <= 3; value++)
        {
            using IMemoryRegion region = new EmulatorHypervisor().AllocateMemory(0x1000);
            guest.Machine.MapMemory(1, GuestMapping.Whole(Outside, region, MemoryFlags.Read | MemoryFlags.Write));
            BinaryPrimitives.WriteUInt64LittleEndian(region.GetSpan(0, 8), value);
            guest.Restart();

            Run(guest);

            Assert.That(guest.Machine.GetGeneralRegisters().Rdx, Is.EqualTo(value * Turns));
            Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(region.GetSpan(8, 8)), Is.EqualTo(Turns));
            guest.Machine.UnmapMemory(1);
        }
    }

    private static LongModeGuest Create(Action<Assembler> code) => new(
        new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine, HotThreshold = 2, VerifiesEmittedCode = true }), code);

    private static void Run(LongModeGuest guest)
    {
        Assert.That(guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
        Assert.That(((EmulatorVirtualMachine)guest.Machine).CodeEntries, Is.Positive);
    }

    private static void Write(LongModeGuest guest, ulong address, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(guest.Memory.GetSpan((nuint)address, sizeof(ulong)), value);

    private static ulong Read(LongModeGuest guest, ulong address) =>
        BinaryPrimitives.ReadUInt64LittleEndian(guest.Memory.GetSpan((nuint)address, sizeof(ulong)));
}

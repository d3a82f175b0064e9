using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Emulator.MachineCode;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Code that changes, or moves, at moments at which compiled code is made or entered. All tiers do what the interpreter does.</summary>
[TestFixture(CodeTier.Best, false)]
[TestFixture(CodeTier.Machine, true)]
[TestFixture(CodeTier.Intermediate, true)]
internal sealed class StaleCodeTests(CodeTier tier, bool compiles)
{
    private const int HotThreshold = 5;
    private const int Page = 0x1000;
    private const int PageDirectory = 0x3000;

    /// <summary>Maps the linear addresses from <see cref="Mapped"/> on.</summary>
    private const int PageTable = 0x4000;
    private const ulong Mapped = 0x20_0000;
    private const ulong Present = 3;
    private const ulong PresentForUsers = 5;
    private const ulong Accessed = 0x20;

    /// <summary>The address at which the page table is code.</summary>
    private const ulong MarkedPage = Mapped + (510 * Page);
    private const ulong MarkedResult = 3 << 24;

    [SetUp]
    public void RequireTier()
    {
        if (tier == CodeTier.Machine)
        {
            EmittingHost.Require();
        }
    }

    /// <summary>The page of the last bytes of an instruction is another one when the code around it is compiled.</summary>
    [Test]
    public void An_instruction_in_two_pages_is_compiled_as_it_is_when_its_second_page_was_exchanged()
    {
        const ulong loop = Mapped + 0x800;
        const ulong crossing = Mapped + 0xFFD;
        using LongModeGuest guest = Create(long.MaxValue, c =>
        {
            c.mov(rsi, 1);
            c.mov(rdi, 1);
            c.call(loop);
            c.mov(__qword_ptr[PageTable + 8], 0xC000 + (int)Present);
            c.invlpg(__[Mapped + Page]);
            c.mov(rsi, 100);
            c.mov(rdi, 50);
            c.call(loop);
            c.hlt();
        });
        Write(guest, 0xA000, loop, c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.cmp(rsi, rdi);
            c.je(crossing);
            c.dec(rsi);
            c.jne(again);
            c.hlt();
        });

        // MOV EAX, imm32 of which the second page has the upper half, and RET.
        guest.Memory.Write(0xAFFD, [0xB8, 0, 0]);
        guest.Memory.Write(0xB000, [1, 0, 0xC3]);
        guest.Memory.Write(0xC000, [2, 0, 0xC3]);
        Map(guest, 0, 0xA000 | Present);
        Map(guest, 1, 0xB000 | Present);

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0x2_0000));
    }

    /// <summary>
    /// The host changes one block of compiled code. The block that is entered first in the next run changes its own next
    /// instruction.
    /// </summary>
    [Test]
    public void Code_that_is_interpreted_because_the_host_changed_other_code_sees_its_own_writes()
    {
        using LongModeGuest guest = CreateLoop(long.MaxValue, out ulong immediate, out ulong other);
        Run(guest, turns: 100, target: LongModeGuest.DataAddress, value: 1, calledIn: 99);
        guest.Memory.Write((nuint)other, [7]);

        Assert.That(Run(guest, turns: 1, immediate, value: 2, calledIn: 99), Is.EqualTo(2));
    }

    /// <summary>The limit of compiled code is reached with a block that changes its own next instruction in that turn.</summary>
    [Test]
    public void Code_that_is_forgotten_to_make_room_for_compiled_code_sees_its_own_writes()
    {
        using LongModeGuest guest = CreateLoop(mostCompiled: 1, out ulong immediate, out _);
        Run(guest, HotThreshold - 1, target: LongModeGuest.DataAddress, value: 1, calledIn: 99);

        Assert.That(Run(guest, turns: 1, immediate, value: 2, calledIn: 99), Is.EqualTo(2));
    }

    /// <summary>
    /// An instruction has an entry of the page table as its operand. The processor marks that entry when it fetches from its page.
    /// </summary>
    [Test]
    public void Code_that_is_changed_by_a_mark_in_a_page_table_is_executed_as_it_is_then()
    {
        const int entry = PageTable + 0x80;
        const ulong load = entry - 2;
        const ulong far = Mapped + ((entry - PageTable) / 8 * Page);
        using LongModeGuest guest = Create(long.MaxValue, c =>
        {
            c.mov(rsi, 1);
            c.call(load);
            c.mov(__byte_ptr[entry], (int)Present);
            c.mov(rsi, 100);
            c.call(load);
            c.invlpg(__[far]);
            c.mov(rsi, 3);
            c.call(load);
            c.hlt();
        });

        // MOV RAX, imm64, whose operand is the entry.
        guest.Memory.Write((nuint)load, [0x48, 0xB8]);
        Map(guest, (entry - PageTable) / 8, 0xA000 | Present);
        Write(guest, entry + 8, entry + 8, c => c.jmp(far));
        Write(guest, 0xA000, far, c =>
        {
            c.dec(rsi);
            c.jne(load);
            c.ret();
        });

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        Assert.That(guest.Machine.GetGeneralRegisters().Rax, Is.EqualTo(0xA000 | Present | Accessed));
    }

    /// <summary>
    /// The entry of the second page of an instruction is in its first page, and marking it changes the instruction's register from
    /// EAX to ESP: what is decoded is what is there afterwards.
    /// </summary>
    [Test]
    public void An_instruction_that_is_changed_by_the_mark_for_its_second_page_is_decoded_as_it_is_then()
    {
        using LongModeGuest guest = CreateMarked(c => Jump(c));
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        Assert.That((guest.Machine.GetGeneralRegisters().Rax, guest.Machine.GetGeneralRegisters().Rsp), Is.EqualTo((0UL, MarkedResult)));
    }

    /// <summary>The same where it was decoded before, and its second page has to be found again.</summary>
    [Test]
    public void A_decoded_instruction_that_is_changed_by_the_mark_for_its_second_page_is_decoded_again()
    {
        using LongModeGuest guest = CreateMarked(c =>
        {
            // Decoded without the mark, as the translation of the second page is kept.
            Jump(c);
            c.and(__byte_ptr[PageTable + 0xFF8], unchecked((sbyte)~Accessed));
            c.xor(eax, eax);
            Jump(c);
            c.mov(rdx, rax);
            c.invlpg(__[MarkedPage + Page]);
            c.xor(eax, eax);
            c.xor(esp, esp);
            Jump(c);
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));

        GeneralRegisters registers = guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rdx, registers.Rax, registers.Rsp), Is.EqualTo((MarkedResult, 0UL, MarkedResult)));
    }

    private static void Jump(Assembler c)
    {
        Label back = c.CreateLabel();
        c.lea(rbx, __[back]);
        c.mov(rcx, MarkedPage + 0xFF7);
        c.jmp(rcx);
        c.Label(ref back);
    }

    /// <summary>
    /// A guest whose page table is code as well: IMUL EAX, [RIP + 0xB0], 0x01000000 begins with the last byte of the entry before,
    /// and ends with the first byte of the page behind. A jump to RBX follows.
    /// </summary>
    private LongModeGuest CreateMarked(Action<Assembler> code)
    {
        LongModeGuest guest = Create(long.MaxValue, c =>
        {
            code(c);
            c.hlt();
        });
        Map(guest, 510, PageTable | (0x69UL << 56) | Present);
        Map(guest, 511, 0xB000 | PresentForUsers);
        guest.Memory.Write(0xB000, [1, 0xFF, 0xE3]);
        guest.Memory.Write(0xB0B1, [3, 0, 0, 0]);
        return guest;
    }

    private static ulong Run(LongModeGuest guest, ulong turns, ulong target, ulong value, ulong calledIn)
    {
        guest.Restart();
        guest.Machine.SetGeneralRegisters(guest.Machine.GetGeneralRegisters() with
        {
            Rsi = turns,
            Rdi = calledIn,
            Rbx = target,
            Rdx = value,
        });
        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return guest.Machine.GetGeneralRegisters().Rax;
    }

    /// <summary>
    /// A loop of RSI turns that stores DL at RBX, loads a number by an instruction that RBX may point into, and adds another
    /// one in the turn that RDI names.
    /// </summary>
    private LongModeGuest CreateLoop(long mostCompiled, out ulong immediate, out ulong other)
    {
        LongModeGuest guest = Create(mostCompiled, c =>
        {
            Label again = c.CreateLabel();
            Label skip = c.CreateLabel();
            c.Label(ref again);
            c.mov(__byte_ptr[rbx], dl);
            c.mov(eax, 1);
            c.cmp(rsi, rdi);
            c.jne(skip);
            c.add(rcx, 5);
            c.Label(ref skip);
            c.dec(rsi);
            c.jne(again);
            c.hlt();
        });
        immediate = LongModeGuest.CodeAddress + 3;
        other = LongModeGuest.CodeAddress + 15;
        return guest;
    }

    private LongModeGuest Create(long mostCompiled, Action<Assembler> code) => new(
        new EmulatorHypervisor(new EmulatorOptions
        {
            TranslateHotCode = compiles,
            Tier = tier,
            HotThreshold = HotThreshold,
            MostCompiledBytes = mostCompiled,
        }),
        code);

    /// <summary>Writes code for a linear address to a physical one, from the same offset of its page on.</summary>
    private static void Write(LongModeGuest guest, ulong physical, ulong linear, Action<Assembler> code)
    {
        Assembler assembler = new(64);
        code(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), linear);
        guest.Memory.Write((nuint)((physical & ~0xFFFUL) | (linear & 0xFFF)), stream.ToArray());
    }

    /// <summary>Makes small pages of the second large one.</summary>
    private static void Map(LongModeGuest guest, int index, ulong entry)
    {
        Span<byte> memory = guest.Memory.GetSpan(0, 0x10000);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(PageDirectory + 8)..], PageTable | Present);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(PageTable + (index * 8))..], entry);
    }
}

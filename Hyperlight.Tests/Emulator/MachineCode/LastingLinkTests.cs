using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Links to code that nothing can write last for longer than translations, as after each restore of a sandbox: the pages are looked up again,
/// and what is not where it was is not executed.
/// </summary>
[TestFixture]
internal sealed class LastingLinkTests
{
    private const uint Code = 0x20_0000;
    private const uint Function = Code + 0x1000;
    private const uint Other = Code + 0x2000;
    private const uint Functions = Code + 0x3000;
    private const int FunctionSize = 16;
    private const int Calls = 50;
    private const uint Tables = 0x5000;

    /// <summary>Where a guest finds them by a small page.</summary>
    private const uint TablesAddress = Code + 0xF_F000;

    private const uint Directory = 0x3008;
    private const ulong PresentWritable = 3;
    private const ulong Accessed = 0x20;
    private const ulong NoExecute = 1UL << 63;
    private const uint HostPageSize = 4096;
    private const nuint ImageSize = 0x10_0000;

    private EmulatorHypervisor _emulator = null!;
    private LongModeGuest _guest = null!;
    private IMemoryRegion _image = null!;

    private EmulatorVirtualMachine Machine => (EmulatorVirtualMachine)_guest.Machine;

    [SetUp]
    public void Create() => Create(threshold: 1);

    private void Create(int threshold)
    {
        EmittingHost.Require();
        _emulator = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = threshold, Tier = CodeTier.Machine, VerifiesEmittedCode = true });
        _guest = new LongModeGuest(_emulator);
        _image = _emulator.AllocateMemory(ImageSize);
    }

    [TearDown]
    public void Dispose()
    {
        _guest?.Dispose();
        _image?.Dispose();
    }

    [Test]
    public void Links_last_when_translations_are_forgotten_and_are_what_they_were()
    {
        MapLoop();
        Assert.That(Run(), Is.EqualTo((VmExit.Halt, (ulong)Calls)));
        Assert.That(Run(), Is.EqualTo((VmExit.Halt, (ulong)Calls)));

        ForgetTranslations();
        long before = Machine.CodeEntries;

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, (ulong)Calls)));
        Assert.That(Machine.CodeEntries - before, Is.EqualTo(1));
    }

    [Test]
    public void A_page_that_is_elsewhere_is_executed_where_it_is()
    {
        MapLoop();
        Run();
        for (int i = 1; i <= 3; i++)
        {
            WriteLeaf(Function, Other | PresentWritable | Accessed);
            ForgetTranslations();
            Assert.That(Run(), Is.EqualTo((VmExit.Halt, 5UL * Calls)), $"{i}");

            WriteLeaf(Function, Function | PresentWritable | Accessed);
            ForgetTranslations();
            Assert.That(Run(), Is.EqualTo((VmExit.Halt, (ulong)Calls)), $"{i}");
        }
    }

    [TestCase(0UL)]
    [TestCase(Function | PresentWritable | Accessed | NoExecute)]
    public void A_page_without_permission_is_not_executed(ulong leaf)
    {
        MapLoop();
        Run();
        Run();
        WriteLeaf(Function, leaf);
        ForgetTranslations();

        // There is no handler for the fault.
        Assert.That(Run(), Is.EqualTo((VmExit.Shutdown, 0UL)));
    }

    [Test]
    public void A_page_that_is_executed_is_accessed()
    {
        MapLoop();
        Run();
        Run();
        WriteLeaf(Function, Function | PresentWritable);
        ForgetTranslations();

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, (ulong)Calls)));
        Assert.That(ReadLeaf(Function) & Accessed, Is.EqualTo(Accessed));
    }

    /// <summary>There are small pages alone, so that only one translation is forgotten.</summary>
    [Test]
    public void A_page_that_the_guest_replaces_is_executed_where_it_is()
    {
        Write(Code, static c =>
        {
            // Each block was executed twice before, so that links lead from it, when the page is replaced.
            Label again = c.CreateLabel();
            c.mov(r8d, 4);
            c.mov(r9d, Function | (uint)PresentWritable);
            c.mov(r10d, Other | (uint)PresentWritable);
            c.Label(ref again);
            EmitLoop(c, Function, distance: 0, Calls);
            c.cmp(r8d, 2);
            c.cmove(r9d, r10d);
            c.mov(__dword_ptr[TablesAddress + LeafOf(Function) - Tables], r9d);
            c.invlpg(__byte_ptr[Function]);
            c.dec(r8d);
            c.jne(again);
            c.hlt();
        });
        WriteFunctions();
        Map();
        WriteLeaf(TablesAddress, Tables | PresentWritable);

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, 8UL * Calls)));
    }

    /// <summary>
    /// INVLPG names another address of a large page than that of the function, which was looked up and not translated since all translations were
    /// forgotten.
    /// </summary>
    [Test]
    public void A_large_page_that_the_guest_replaces_is_executed_where_it_is()
    {
        const uint LargePages = 0x40_0000;
        const uint LargePageSize = 0x20_0000;
        const uint InPage = 0x1000;
        const uint Large = 0x80 | (uint)PresentWritable;
        using IMemoryRegion functions = _emulator.AllocateMemory(2 * LargePageSize);
        functions.Write(InPage, LinkedGuest.Assemble(LargePages + InPage, static c => Return(c, 1)));
        functions.Write(LargePageSize + InPage, LinkedGuest.Assemble(LargePages + InPage, static c => Return(c, 5)));
        functions.MakeReadOnly();
        Write(Code, static c =>
        {
            Label again = c.CreateLabel();
            c.mov(r8d, 4);
            c.mov(r9d, LargePages | Large);
            c.mov(r10d, (LargePages + LargePageSize) | Large);
            c.Label(ref again);
            EmitLoop(c, LargePages + InPage, distance: 0, Calls);
            c.mov(rax, cr4);
            c.mov(cr4, rax);
            c.cmp(r8d, 2);
            c.cmove(r9d, r10d);
            c.mov(__dword_ptr[TablesAddress + 16], r9d);
            c.invlpg(__byte_ptr[LargePages]);
            c.dec(r8d);
            c.jne(again);
            c.hlt();
        });
        Map();
        Machine.MapMemory(2, GuestMapping.Whole(LargePages, functions, MemoryFlags.Read | MemoryFlags.Execute));
        WriteLeaf(TablesAddress, (Directory & ~0xFFFU) | PresentWritable);

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, 8UL * Calls)));
    }

    /// <summary>A page that was looked up and is not executed is not accessed.</summary>
    [Test]
    public void A_page_that_is_looked_up_is_not_changed()
    {
        MapLoop();
        Run();
        WriteLeaf(Function, Function | PresentWritable);
        ForgetTranslations();
        Machine.InstructionBudget = 1;

        Assert.That(Run().Exit, Is.EqualTo(VmExit.InstructionBudgetExhausted));
        Assert.That(ReadLeaf(Function) & Accessed, Is.Zero);
    }

    /// <summary>A guest must not find out by its page tables that an earlier one has executed more of the same code.</summary>
    [Test]
    public void A_page_that_only_an_earlier_guest_executed_is_not_accessed()
    {
        // All blocks are executed before the first is compiled, so that they are one region.
        Dispose();
        Create(threshold: 8);
        Write(Code, static c =>
        {
            Label end = c.CreateLabel();
            c.test(edi, edi);
            c.je(end);
            c.jmp(Function);
            c.Label(ref end);
            c.hlt();
        });
        Write(Function, static c =>
        {
            Label end = c.CreateLabel();
            c.inc(rbx);
            c.cmp(rbx, Calls);
            c.jae(end);
            c.jmp(Code);
            c.Label(ref end);
            c.hlt();
        });
        Map();
        Assert.That(Run(rdi: 1), Is.EqualTo((VmExit.Halt, (ulong)Calls)));
        Assert.That(Run(rdi: 1), Is.EqualTo((VmExit.Halt, (ulong)Calls)));
        Assert.That(Machine.CompiledSize, Is.Positive);
        WriteLeaf(Code, Code | PresentWritable);
        WriteLeaf(Function, Function | PresentWritable);
        ForgetTranslations();

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, 0UL)));
        Assert.That(ReadLeaf(Code) & Accessed, Is.EqualTo(Accessed));
        Assert.That(ReadLeaf(Function) & Accessed, Is.Zero);
    }

    [TestCase(100)]
    [TestCase(3000)]
    [TestCase(30_000)]
    public void The_table_grows_with_the_code(int count)
    {
        MapFunctions(count);
        ulong sum = (ulong)Enumerable.Range(1, count).Sum(static i => (long)i);
        Assert.That(Run(), Is.EqualTo((VmExit.Halt, sum)));
        Assert.That(Run(), Is.EqualTo((VmExit.Halt, sum)));
        ForgetTranslations();
        long before = Machine.CodeEntries;

        Assert.That(Run(), Is.EqualTo((VmExit.Halt, sum)));
        long entries = Machine.CodeEntries - before;
        TestContext.Out.WriteLine($"{entries} entries for {count} functions");

        // A table of fixed size would have lost most of the first and second count; no table has all of the last.
        Assert.That(entries, Is.LessThan(count switch { 100 => 40, 3000 => 1500, _ => 60_000 }));
    }

    /// <summary>The registers are put back before each run.</summary>
    private (VmExit Exit, ulong Sum) Run(ulong rdi = 0)
    {
        Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Code, Rdi = rdi, Rsp = LongModeGuest.StackTop, Rflags = GeneralRegisters.RflagsReset });
        VmExit exit = Machine.Run();
        return (exit, Machine.GetGeneralRegisters().Rbx);
    }

    /// <summary>As a restore does.</summary>
    private void ForgetTranslations() => Machine.SetSpecialRegisters(LongModeGuest.SpecialRegisters);

    private void MapLoop()
    {
        WriteLoop(Function, distance: 0, Calls);
        WriteFunctions();
        Map();
    }

    private void WriteFunctions()
    {
        Write(Function, static c => Return(c, 1));
        Write(Other, static c => Return(c, 5));
    }

    /// <summary>A loop that calls many functions, each once.</summary>
    private void MapFunctions(int count)
    {
        WriteLoop(Functions, FunctionSize, count);
        for (int i = 0; i < count; i++)
        {
            uint function = Functions + (uint)(i * FunctionSize);
            Write(function, c => Return(c, i + 1));
        }

        Map();
    }

    /// <summary>
    /// A loop that calls functions. It does so without a stack: an access that needs a new translation would be the processor's, with what follows.
    /// </summary>
    private void WriteLoop(uint function, int distance, int count) => Write(Code, c =>
    {
        EmitLoop(c, function, distance, count);
        c.hlt();
    });

    private static void EmitLoop(Assembler c, uint function, int distance, int count)
    {
        Label again = c.CreateLabel();
        Label behind = c.CreateLabel();
        c.mov(edi, function);
        c.lea(rsi, __[behind]);
        c.mov(ebp, count);
        c.Label(ref again);
        c.jmp(rdi);
        c.Label(ref behind);
        c.add(rbx, rax);
        c.add(rdi, distance);
        c.dec(ebp);
        c.jne(again);
    }

    private static void Return(Assembler c, int value)
    {
        c.mov(eax, value);
        c.jmp(rsi);
    }

    private void Write(uint address, Action<Assembler> code) => _image.Write(address - Code, LinkedGuest.Assemble(address, code));

    /// <summary>Maps the image by small pages, so that each can be elsewhere.</summary>
    private void Map()
    {
        _image.MakeReadOnly();
        Machine.MapMemory(1, GuestMapping.Whole(Code, _image, MemoryFlags.Read | MemoryFlags.Execute));
        WriteEntry(Directory, Tables | PresentWritable);
        for (uint page = Code; page < Code + ImageSize; page += HostPageSize)
        {
            WriteLeaf(page, page | PresentWritable);
        }

        ForgetTranslations();
    }

    private void WriteLeaf(uint address, ulong entry) => WriteEntry(LeafOf(address), entry);

    private ulong ReadLeaf(uint address) => BinaryPrimitives.ReadUInt64LittleEndian(_guest.Memory.GetSpan(LeafOf(address), sizeof(ulong)));

    private static uint LeafOf(uint address) => Tables + (((address - Code) / HostPageSize) * sizeof(ulong));

    private void WriteEntry(uint address, ulong entry) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_guest.Memory.GetSpan(address, sizeof(ulong)), entry);
}

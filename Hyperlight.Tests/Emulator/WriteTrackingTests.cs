using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Machine;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Whatever way a guest changes a page, the page is cleared with those that it has written; in both tiers.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class WriteTrackingTests(bool translates)
{
    /// <summary>Pages that nothing uses, up to the end of memory.</summary>
    private const ulong Target = 0x20000;
    private const ulong SecondTarget = 0x30000;
    private const ulong PresentWritableMarked = 0x63;
    private const ulong Cr4Xsave = 1 << 18;

    /// <summary>Often enough that the code is translated.</summary>
    private const uint Repetitions = 40;
    private const int MostExits = 1000;

    /// <summary>Each is executed again and again. R15 counts; every other register may be changed.</summary>
    private static readonly Dictionary<string, Action<Assembler>> Writes = new()
    {
        ["a byte"] = c => c.mov(__byte_ptr[Target], 1),
        ["a quadword"] = c => c.mov(__[Target], r15),
        ["read and changed"] = c => c.add(__dword_ptr[Target], 1),
        ["a bit"] = c => c.bts(__dword_ptr[Target], 5),
        ["exchanged"] = c => c.xchg(__[Target], r15d),
        ["compared and exchanged"] = c => { c.mov(rbx, r15); c.cmpxchg16b(__[Target]); },
        ["read before it is written"] = c => { c.mov(eax, __[Target]); c.mov(__[Target], r15); },
        ["two addresses for one page"] = c => { c.mov(eax, __[SecondTarget]); c.mov(__[Target], r15); },
        ["pushed"] = c => { c.mov(esp, (uint)Target + 0x1000); c.push(r15); c.mov(esp, (uint)SystemGuest.StackTop); },
        ["a frame"] = c => { c.mov(esp, (uint)Target + 0x1000); c.mov(ebp, (uint)Target); c.enter(32, 2); c.mov(esp, (uint)SystemGuest.StackTop); },
        ["across two pages"] = c => c.mov(__[Target + 0xFFC], r15),
        ["across two pages, 16 bytes"] = c => { c.movq(xmm0, r15); c.pshufd(xmm0, xmm0, 0x44); c.movups(__[Target + 0xFF4], xmm0); },
        ["16 bytes"] = c => { c.movq(xmm0, r15); c.movaps(__[Target], xmm0); },
        ["from MMX"] = c => { c.movq(mm0, r15); c.movq(__[Target], mm0); c.emms(); },
        ["stored by a string instruction"] = c => { c.mov(al, 7); c.mov(ecx, 0x2800); c.mov(edi, (uint)Target + 8); c.rep.stosb(); },
        ["moved by a string instruction"] = c => { c.mov(ecx, 0x300); c.mov(esi, (uint)SystemGuest.Idt); c.mov(edi, (uint)Target); c.rep.movsq(); },
        ["moved backwards"] = c => { c.mov(ecx, 0x300); c.mov(esi, (uint)SystemGuest.Idt + 0x800); c.mov(edi, (uint)Target + 0x1800); c.std(); c.rep.movsd(); c.cld(); },
        ["FXSAVE"] = c => c.fxsave64(__[Target + 0xE00]),
        ["XSAVE over two pages"] = c => { c.mov(eax, 3); c.xor(edx, edx); c.xsave64(__[Target + 0xF00]); },
        ["x87"] = c => { c.fldpi(); c.fstp(__tbyte_ptr[Target]); },
        ["x87 environment"] = c => c.fnstenv(__[Target]),
        ["MXCSR"] = c => c.stmxcsr(__[Target]),
        ["descriptor table registers"] = c => { c.sgdt(__[Target]); c.sidt(__[SecondTarget]); },
        ["an exception's frame"] = c => c.int3(),
        ["a user exception's frame"] = c => { c.mov(esp, (uint)Target + 0x800); c.int3(); c.mov(esp, (uint)SystemGuest.StackTop); },
        ["a descriptor's accessed bit"] = c => { c.mov(eax, SystemGuest.UnaccessedSelector); c.mov(ds, ax); },
        ["a page table's marks"] = c => { c.invlpg(__[Target]); c.mov(eax, __[Target]); },
        ["a page that is executed"] = c => c.mov(__byte_ptr[SystemGuest.KernelCode + 0xF00], 1),
    };

    private static IEnumerable<string> WriteNames => Writes.Keys;

    private SystemGuest _guest = null!;

    private IWriteTracker Tracker => (IWriteTracker)_guest.Machine;

    [SetUp]
    public void Create()
    {
        _guest = new SystemGuest(new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = translates, HotThreshold = 1 }));
        _guest.Write(SystemGuest.EntryOf(SecondTarget), Target | PresentWritableMarked);
        _guest.Special = _guest.Special with { Cr4 = _guest.Special.Cr4 | Cr4Xsave };
    }

    [TearDown]
    public void Destroy() => _guest.Dispose();

    [TestCaseSource(nameof(WriteNames))]
    public void Every_page_that_changed_is_cleared(string name)
    {
        byte[] before = Prepare(Writes[name]);

        // The second time, what the processor remembers of the first is still there.
        for (int i = 0; i < 2; i++)
        {
            Run();
            List<int> changed = ChangedSince(before);
            Assert.That(changed, Is.Not.Empty, "the guest has written something");

            Tracker.ClearWritten(0);

            Assert.That(changed.Where(page => Page(page).ContainsAnyExcept((byte)0)), Is.Empty, "pages that were missed");
            _guest.Memory.Write(0, before);
        }
    }

    [Test]
    public void A_page_that_the_user_writes_is_cleared_each_time()
    {
        _guest.Place(SystemGuest.UserCode, static (c, _) =>
        {
            c.mov(__byte_ptr[SystemGuest.UserData], 1);
            c.mov(__byte_ptr[SystemGuest.UserData + 1], 2);
            c.@int(SystemGuest.Exit);
        });
        byte[] before = PrepareCode(static c =>
        {
            c.push(SystemGuest.UserDataSelector);
            c.push((int)SystemGuest.UserStackTop);
            c.push(2);
            c.push(SystemGuest.UserCodeSelector);
            c.push((int)SystemGuest.UserCode);
            c.iretq();
        });
        for (int i = 0; i < 3; i++)
        {
            Run();
            Assert.That(_guest.Read(SystemGuest.UserData), Is.EqualTo(0x201));

            Tracker.ClearWritten(0);

            Assert.That(_guest.Read(SystemGuest.UserData), Is.Zero);
            _guest.Memory.Write(0, before);
        }
    }

    [Test]
    public void A_page_counts_when_it_is_written_first_and_again_after_it_was_cleared()
    {
        Prepare(c => { c.mov(__[Target], r15); c.mov(__[Target + 0x1000], r15); });
        Run();
        long first = Tracker.WrittenPageCount;
        Assert.That(first, Is.GreaterThanOrEqualTo(2));
        Run();
        Assert.That(Tracker.WrittenPageCount, Is.EqualTo(first), "the pages were written before");

        byte[] memory = new byte[(int)_guest.Memory.Size];
        _guest.Memory.Read(0, memory);
        Tracker.ClearWritten(0);
        _guest.Memory.Write(0, memory);
        Assert.That(Tracker.WrittenPageCount, Is.EqualTo(first), "what was cleared was written");
        Run();
        long second = Tracker.WrittenPageCount;
        Assert.That(second, Is.InRange(first + 2, 2 * first), "the marks in page tables were there before");

        _guest.Machine.Dispose();
        Assert.That(Tracker.WrittenPageCount, Is.EqualTo(second));
    }

    [Test]
    public void A_page_that_was_only_read_is_not_cleared()
    {
        _guest.Write(SystemGuest.EntryOf(Target), Target | PresentWritableMarked);
        _guest.Write(Target, 0x1234);
        Prepare(c => c.mov(eax, __[Target]));

        Run();
        Tracker.ClearWritten(0);

        Assert.That(_guest.Read(Target), Is.EqualTo(0x1234));
    }

    [Test]
    public void A_write_that_was_cancelled_in_the_middle_is_cleared()
    {
        byte[] before = Prepare(c => { c.mov(al, 7); c.mov(ecx, 0x8000); c.mov(edi, (uint)Target); c.rep.stosb(); });
        _guest.Machine.SetSpecialRegisters(_guest.Special);
        Restart();
        _guest.Machine.Cancel();
        Assert.That(_guest.Machine.Run(), Is.EqualTo(VmExit.Cancelled));

        // The instruction goes on for a while before it looks for a request again. The request may come when the run has ended, and another
        // test has begun with another machine.
        IVirtualMachine machine = _guest.Machine;
        using (new Timer(_ => machine.Cancel(), null, 0, Timeout.Infinite))
        {
            machine.Run();
        }

        List<int> changed = ChangedSince(before);
        Tracker.ClearWritten(0);

        Assert.That(changed.Where(page => Page(page).ContainsAnyExcept((byte)0)), Is.Empty);
    }

    [Test]
    public void A_write_before_the_budget_ended_is_cleared()
    {
        byte[] before = Prepare(c => c.mov(__[Target], r15));
        ((IInstructionCounter)_guest.Machine).InstructionBudget = 5;
        _guest.Machine.SetSpecialRegisters(_guest.Special);
        Restart();
        Assert.That(_guest.Machine.Run().Reason, Is.EqualTo(VmExitReason.InstructionBudgetExhausted));

        List<int> changed = ChangedSince(before);
        Assert.That(changed, Does.Contain((int)(Target / GuestPage.Size)));
        Tracker.ClearWritten(0);

        Assert.That(changed.Where(page => Page(page).ContainsAnyExcept((byte)0)), Is.Empty);
    }

    [Test]
    public void Only_the_slot_that_is_named_is_cleared()
    {
        const ulong other = 0x10_0000;
        using IMemoryRegion memory = new EmulatorHypervisor().AllocateMemory(0x2000);
        _guest.Machine.MapMemory(1, GuestMapping.Whole(other, memory, MemoryFlags.Read | MemoryFlags.Write));
        Prepare(c => { c.mov(__[other + 0x1000], r15); c.mov(__[Target], r15); });
        Run();

        Tracker.ClearWritten(1);

        Assert.That(memory.GetSpan(0, 0x2000).ContainsAnyExcept((byte)0), Is.False);
        Assert.That(_guest.Read(Target), Is.Not.Zero);
    }

    [Test]
    public void A_read_only_mapping_is_not_cleared()
    {
        using IMemoryRegion memory = new EmulatorHypervisor().AllocateMemory(0x1000);
        memory.Write(0, [1, 2, 3]);
        _guest.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, memory, MemoryFlags.Read));

        Tracker.ClearWritten(1);

        Assert.That(memory.GetSpan(0, 3).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void A_free_slot_is_refused()
    {
        Assert.That(() => Tracker.ClearWritten(7), Throws.TypeOf<InvalidOperationException>().With.Message.Contains("7"));
        _guest.Machine.Dispose();
        Assert.That(() => Tracker.ClearWritten(0), Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>Places code that is repeated, and returns what memory is before it runs.</summary>
    private byte[] Prepare(Action<Assembler> body) => PrepareCode(c =>
    {
        Label loop = c.CreateLabel();
        c.mov(r15d, Repetitions);
        c.Label(ref loop);
        body(c);
        c.dec(r15d);
        c.jnz(loop);
        c.hlt();
    });

    /// <summary>Places code, and returns what memory is before it runs.</summary>
    private byte[] PrepareCode(Action<Assembler> code)
    {
        _guest.Place(SystemGuest.KernelCode, (c, _) => code(c));
        byte[] memory = new byte[(int)_guest.Memory.Size];
        _guest.Memory.Read(0, memory);
        _guest.Machine.SetSpecialRegisters(_guest.Special);
        return memory;
    }

    /// <summary>Runs the code. What the processor remembers of earlier runs stays.</summary>
    private void Run()
    {
        Restart();
        for (int i = 0; i < MostExits; i++)
        {
            VmExit exit = _guest.Machine.Run();
            if (exit.Reason != VmExitReason.IoOut)
            {
                Assert.That(exit, Is.EqualTo(VmExit.Halt));
                return;
            }

            Assert.That(exit.Port, Is.EqualTo(3), "no exception but the breakpoint");
        }

        Assert.Fail("The guest does not end.");
    }

    private void Restart() => _guest.Machine.SetGeneralRegisters(new GeneralRegisters
    {
        Rip = SystemGuest.KernelCode,
        Rsp = SystemGuest.StackTop,
        Rflags = GeneralRegisters.RflagsReset,
    });

    private Span<byte> Page(int page) => _guest.Memory.GetSpan((nuint)page * GuestPage.Size, GuestPage.Size);

    private List<int> ChangedSince(byte[] before) => [.. Enumerable.Range(0, before.Length / GuestPage.Size)
        .Where(page => !Page(page).SequenceEqual(before.AsSpan(page * GuestPage.Size, GuestPage.Size)))];
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Regions go on in each other without the processor, and everything that the processor checks between two blocks has its
/// effect all the same: what a compiled guest does is compared with what it does interpreted.
/// </summary>
[TestFixture]
internal sealed class LinkTests
{
    private const uint SecondTables = 0x4000;
    private const uint Function = LinkedGuest.Function;
    private const uint AliasOfFunction = LinkedGuest.Alias + LinkedGuest.Function;

    /// <summary>Of the number that the function returns.</summary>
    private const int ImmediateOffset = 1;
    private const ulong LargePage = 0x80;
    private const ulong User = 4;

    private static readonly Dictionary<string, (uint Function, Action<Assembler> Between)> Changes = new()
    {
        ["nothing"] = (Function, static _ => { }
        ),
        ["the function is written"] = (Function, static c => c.mov(__byte_ptr[Function + ImmediateOffset], 2)),
        ["the function is written, in the page of the loop"] = (0x8200, static c => c.mov(__byte_ptr[0x8200 + ImmediateOffset], 2)),
        ["the function is written at another address"] = (Function, static c => c.mov(__byte_ptr[AliasOfFunction + ImmediateOffset], 2)),
        ["the function is written where it was not executed"] = (AliasOfFunction, static c => c.mov(__byte_ptr[Function + ImmediateOffset], 2)),
        ["the function is written by a string instruction"] = (Function, static c =>
        {
            c.mov(edi, Function + ImmediateOffset);
            c.mov(eax, 2);
            c.mov(ecx, 1);
            c.rep.stosb();
        }
        ),
        ["another address space"] = (AliasOfFunction, static c => { c.mov(eax, SecondTables); c.mov(cr3, rax); }
        ),
        ["another address space, within a loop"] = (AliasOfFunction, static c =>
        {
            const int Turns = 100;
            Label again = c.CreateLabel();
            Label isSame = c.CreateLabel();
            c.mov(ebp, Turns);
            c.Label(ref again);
            c.call(rdi);
            c.add(rbx, rax);
            c.cmp(ebp, Turns / 2);
            c.jne(isSame);
            c.mov(eax, SecondTables);
            c.mov(cr3, rax);
            c.Label(ref isSame);
            c.dec(ebp);
            c.jne(again);
        }
        ),
        ["another page, and INVLPG"] = (AliasOfFunction, static c =>
        {
            c.mov(__dword_ptr[LinkedGuest.AliasEntry], 0x20_0083);
            c.invlpg(__byte_ptr[AliasOfFunction]);
        }
        ),
        ["no permission to execute"] = (AliasOfFunction, static c =>
        {
            c.mov(__dword_ptr[LinkedGuest.AliasEntry + 4], unchecked((int)0x8000_0000));
            c.invlpg(__byte_ptr[AliasOfFunction]);
        }
        ),
        ["no page"] = (AliasOfFunction, static c =>
        {
            c.mov(__dword_ptr[LinkedGuest.AliasEntry], 0);
            c.invlpg(__byte_ptr[AliasOfFunction]);
        }
        ),
        ["single steps"] = (Function, static c =>
        {
            c.pushfq();
            c.or(__dword_ptr[rsp], 0x100);
            c.popfq();
        }
        ),
        ["a breakpoint"] = (Function, static c =>
        {
            c.mov(eax, Function);
            c.mov(dr0, rax);
            c.mov(eax, 1);
            c.mov(dr7, rax);
        }
        ),
    };

    private static IEnumerable<string> ChangeNames => Changes.Keys;

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void A_change_between_two_calls_has_its_effect([ValueSource(nameof(ChangeNames))] string name, [Values] bool isDirect)
    {
        (uint function, Action<Assembler> between) = Changes[name];
        using var other = new ManagedMemoryRegion(0x1_0000);
        using LinkedGuest interpreted = Create(isCompiled: false);
        using LinkedGuest compiled = Create(isCompiled: true);

        Assert.That(compiled.RunTwice(), Is.EqualTo(interpreted.RunTwice()));

        LinkedGuest Create(bool isCompiled)
        {
            var guest = new LinkedGuest(isCompiled, function, between, isDirect: isDirect);
            AddSecondAddressSpace(guest, other);
            return guest;
        }
    }

    /// <summary>With small pages alone, INVLPG concerns links to code of that page, and no other.</summary>
    [TestCase(AliasOfFunction, 5)]
    [TestCase(AliasOfFunction + 0xFFF, 5)]
    [TestCase(LinkedGuest.Alias + (uint)LongModeGuest.DataAddress, null)]
    public void A_small_page_that_is_replaced_has_its_effect(uint invalidated, int? result)
    {
        const uint Tables = 0x5000;
        const uint Other = 0xA000;
        var ends = new List<(VmExit, long, GeneralRegisters)[]>();
        foreach (bool isCompiled in (bool[])[false, true])
        {
            using LinkedGuest guest = new(isCompiled, AliasOfFunction, c =>
            {
                if (result is not null)
                {
                    c.mov(__dword_ptr[Tables + 0x1000 + (8 * (Function >> 12))], Other | 3);
                }

                c.invlpg(__byte_ptr[invalidated]);
            });
            guest.Memory.Write(Other, LinkedGuest.Assemble(Other, static c => { c.mov(eax, 5); c.ret(); }));
            for (uint page = 0; page < 16; page++)
            {
                guest.WriteEntry(Tables + (8 * page), (page << 12) | 3);
                guest.WriteEntry(Tables + 0x1000 + (8 * page), (page << 12) | 3);
            }

            guest.WriteEntry(LinkedGuest.AliasEntry - 8, Tables | 3);
            guest.WriteEntry(LinkedGuest.AliasEntry, (Tables + 0x1000) | 3);
            ends.Add([guest.Run()]);
            Assert.That(guest.Sum, Is.EqualTo(LinkedGuest.Calls * (1 + (result ?? 1))));
        }

        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    [Test]
    public void Regions_go_on_in_each_other_without_the_processor()
    {
        using var guest = new LinkedGuest(isCompiled: true, Function, static _ => { });
        guest.Run();
        long before = guest.Machine.CodeEntries;
        guest.Restart();
        guest.Run();

        // The host may have written to the memory since: each block is looked at once more.
        Assert.That(guest.Sum, Is.EqualTo(2 * LinkedGuest.Calls));
        Assert.That(guest.Machine.CodeEntries - before, Is.InRange(1, 10));
    }

    /// <summary>Otherwise each of them would take the place of the other one, and the processor would be asked each time.</summary>
    [Test]
    public void Addresses_of_the_same_place_in_the_table_have_links_all()
    {
        const int Entries = 128;
        const int Distance = 8;
        uint[] others = [.. Enumerable.Range(0, HostPage.Size / Distance).Select(static i => 0xA000 + ((uint)i * Distance))
            .Where(static rip => PlaceOf(rip) == PlaceOf(Function)).Take(LinkTable.Places - 1)];
        Assert.That(others, Has.Length.EqualTo(LinkTable.Places - 1));
        using var guest = new LinkedGuest(isCompiled: true, Function, static _ => { }, c =>
        {
            c.mov(eax, 1);
            c.mov(esi, others[0]);
            c.jmp(rsi);
        });
        for (int i = 0; i < others.Length; i++)
        {
            uint? next = i + 1 < others.Length ? others[i + 1] : null;
            guest.Memory.Write(others[i], LinkedGuest.Assemble(others[i], c =>
            {
                if (next is { } rip)
                {
                    c.mov(esi, rip);
                    c.jmp(rsi);
                }
                else
                {
                    c.ret();
                }
            }));
        }

        guest.Run();
        long before = guest.Machine.CodeEntries;
        guest.Restart();
        guest.Run();

        Assert.That(guest.Sum, Is.EqualTo(2 * LinkedGuest.Calls));
        Assert.That(guest.Machine.CodeEntries - before, Is.InRange(1, 20));

        static uint PlaceOf(uint rip) => (rip * LinkTable.Multiplier >> (32 - LinkTable.MostIndexBits)) & (Entries - 1);
    }

    [Test]
    public void A_budget_ends_at_every_instruction_behind_a_link()
    {
        using LinkedGuest interpreted = new(isCompiled: false, Function, static _ => { });
        using LinkedGuest compiled = new(isCompiled: true, Function, static _ => { });
        VmExit exit = VmExit.InstructionBudgetExhausted;
        for (int budget = 1; exit == VmExit.InstructionBudgetExhausted; budget = (budget % 23) + 1)
        {
            interpreted.Machine.InstructionBudget = budget;
            compiled.Machine.InstructionBudget = budget;
            (exit, long count, GeneralRegisters registers) = interpreted.Run();

            Assert.That(compiled.Run(), Is.EqualTo((exit, count, registers)));
        }

        Assert.That(exit, Is.EqualTo(VmExit.Halt));
    }

    /// <summary>Within one run, so that the links are there when it ends.</summary>
    [Test]
    public void A_budget_ends_at_every_instruction_of_a_linked_loop([Range(400, 415)] int budget)
    {
        var ends = new List<(VmExit, long, GeneralRegisters)>();
        foreach (bool isCompiled in (bool[])[false, true])
        {
            using LinkedGuest guest = new(isCompiled, Function, static _ => { });
            guest.Machine.InstructionBudget = budget;
            ends.Add(guest.Run());
        }

        Assert.That(ends[0].Item1, Is.EqualTo(VmExit.InstructionBudgetExhausted));
        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    [Test]
    public void A_loop_over_linked_regions_can_be_cancelled()
    {
        using LongModeGuest guest = new(
            new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 1, Tier = CodeTier.Machine }),
            static c =>
            {
                Label first = c.CreateLabel();
                Label second = c.CreateLabel();
                c.lea(rdi, __[second]);
                c.lea(rsi, __[first]);
                c.Label(ref first);
                c.inc(rbx);
                c.jmp(rdi);
                c.Label(ref second);
                c.inc(rcx);
                c.jmp(rsi);
            });

        // On a busy machine a run is cancelled soon after it has begun.
        const int MostRuns = 20;
        for (int i = 0; i < MostRuns && guest.Machine.GetGeneralRegisters().Rbx <= 100_000; i++)
        {
            EndlessGuest.Run(guest.Machine, static () => Thread.Sleep(100));
        }

        // A round has four instructions. Code returns after some hundred thousand.
        ulong rounds = guest.Machine.GetGeneralRegisters().Rbx;
        Assert.That(rounds, Is.GreaterThan(100_000));
        Assert.That((ulong)((EmulatorVirtualMachine)guest.Machine).CodeEntries, Is.LessThan(100 + (rounds / 10_000)));
    }

    /// <summary>Emitted code looks at four entries, which have to be four of the table wherever the first one is.</summary>
    [Test]
    public unsafe void The_places_of_an_address_are_within_the_table()
    {
        using var memory = new ProcessorMemory();
        for (int size = LinkTable.Places; size <= 8192; size *= 2)
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.That((long)memory.AllocateLinks(size) % (LinkTable.Places * sizeof(LinkEntry)), Is.Zero);
            }
        }
    }

    /// <summary>A guest that calls no function: what is beside the table of links is often zero, and must not be taken for a link.</summary>
    [Test]
    public void A_call_of_address_zero_goes_there()
    {
        for (int i = 0; i < 20; i++)
        {
            var hypervisor = new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine });
            using var guest = new LongModeGuest(hypervisor, static c =>
            {
                Label again = c.CreateLabel();
                Label known = c.CreateLabel();
                Label function = c.CreateLabel();
                c.lea(rdi, __[function]);
                c.xor(esi, esi);
                c.mov(ecx, 100);
                c.Label(ref again);
                c.call(rdi);
                c.dec(ecx);
                c.jnz(known);
                c.xor(edi, edi);
                c.Label(ref known);
                c.jmp(again);
                c.Label(ref function);
                c.ret();
            });
            const byte Halt = 0xF4;
            guest.Memory.Write(0, [Halt]);

            Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
            Assert.That(guest.Machine.GetGeneralRegisters().Rip, Is.EqualTo(1));
            Assert.That(((EmulatorVirtualMachine)guest.Machine).CodeEntries, Is.GreaterThan(0));
        }
    }

    [Test]
    public void Code_that_the_host_replaced_between_runs_is_executed()
    {
        using LinkedGuest guest = new(isCompiled: true, Function, static _ => { });
        guest.Run();
        guest.Memory.Write(Function + ImmediateOffset, [3]);
        guest.Restart();
        guest.Run();

        Assert.That(guest.Sum, Is.EqualTo(3 * 2 * LinkedGuest.Calls));
    }

    /// <summary>The loop may be executed at CPL 3, the function may not.</summary>
    [Test]
    public void A_link_does_not_lead_to_code_of_another_privilege_level()
    {
        var ends = new List<(VmExit, long, GeneralRegisters)>();
        foreach (bool isCompiled in (bool[])[false, true])
        {
            using LinkedGuest guest = new(isCompiled, AliasOfFunction, static _ => { });
            guest.WriteEntry(0x1000, 0x2003 | User);
            guest.WriteEntry(0x2000, 0x3003 | User);
            guest.WriteEntry(0x3000, 3 | User | LargePage);
            Assert.That(guest.Run().Exit, Is.EqualTo(VmExit.Halt));
            guest.Restart();
            SpecialRegisters special = guest.Machine.GetSpecialRegisters();
            guest.Machine.SetSpecialRegisters(special with { Cs = special.Cs with { Selector = 3, Attributes = 0x20FB }, Ss = special.Ss with { Selector = 3, Attributes = 0xF3 } });
            ends.Add(guest.Run());
        }

        Assert.That(ends[0].Item1, Is.EqualTo(VmExit.Shutdown));
        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    /// <summary>The function reads through FS, whose base changes.</summary>
    [Test]
    public void A_segment_has_the_base_that_it_was_given_last()
    {
        var ends = new List<(VmExit, long, GeneralRegisters)>();
        foreach (bool isCompiled in (bool[])[false, true])
        {
            using LinkedGuest guest = new(
                isCompiled,
                Function,
                static c =>
                {
                    const uint FsBase = 0xC000_0100;
                    c.mov(__dword_ptr[(uint)LongModeGuest.DataAddress], 7);
                    c.mov(__dword_ptr[(uint)LongModeGuest.DataAddress + 0x100], 70);
                    c.mov(ecx, FsBase);
                    c.mov(eax, 0x100);
                    c.xor(edx, edx);
                    c.wrmsr();
                },
                static c =>
                {
                    c.mov(esi, (uint)LongModeGuest.DataAddress);
                    c.mov(eax, __dword_ptr.fs[rsi]);
                });
            guest.Memory.Write((nuint)LongModeGuest.DataAddress, [7]);
            ends.Add(guest.Run());
            Assert.That(guest.Sum, Is.EqualTo(77 * LinkedGuest.Calls));
        }

        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    /// <summary>The function divides zero by zero, which has a result at first and then raises an exception.</summary>
    [Test]
    public void A_guest_that_asks_for_floating_point_exceptions_gets_them()
    {
        var ends = new List<(VmExit, long, GeneralRegisters)[]>();
        foreach (bool isCompiled in (bool[])[false, true])
        {
            using LinkedGuest guest = new(
                isCompiled,
                Function,
                static c =>
                {
                    c.mov(__dword_ptr[(uint)LongModeGuest.DataAddress], 0);
                    c.ldmxcsr(__dword_ptr[(uint)LongModeGuest.DataAddress]);
                },
                static c =>
                {
                    c.xorps(xmm0, xmm0);
                    c.divsd(xmm0, xmm1);
                    c.mov(eax, 1);
                });
            ends.Add(guest.RunTwice());
        }

        Assert.That(ends[0][1].Item1, Is.EqualTo(VmExit.Shutdown));
        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }

    /// <summary>A function that runs over the end of a page, of which the second page is written.</summary>
    [Test]
    public void Code_that_continues_in_another_page_is_executed_as_it_was_written(
        [Values(CodeTier.Machine, CodeTier.Intermediate)] CodeTier tier, [Values(1, 5, 30)] int threshold)
    {
        const uint Start = 0x8FF0;
        const uint SecondPage = 0x9000;
        using LongModeGuest guest = new(new EmulatorHypervisor(new EmulatorOptions { HotThreshold = threshold, Tier = tier }), static c =>
        {
            Label outer = c.CreateLabel();
            Label again = c.CreateLabel();
            c.mov(esi, 2);
            c.Label(ref outer);
            c.mov(edi, Start);
            c.mov(ebp, 100);
            c.Label(ref again);
            c.call(rdi);
            c.add(rbx, rax);
            c.dec(ebp);
            c.jne(again);
            c.mov(__byte_ptr[SecondPage + ImmediateOffset], 2);
            c.dec(esi);
            c.jne(outer);
            c.hlt();
        });
        guest.Memory.GetSpan(Start, (int)(SecondPage - Start)).Fill(0x90);
        guest.Memory.Write(SecondPage, LinkedGuest.Assemble(SecondPage, static c => { c.mov(eax, 1); c.ret(); }));

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        Assert.That(guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(300));
    }

    /// <summary>
    /// Page tables in which the function's address leads to other memory, where the function returns 5, and that memory.
    /// </summary>
    private static void AddSecondAddressSpace(LinkedGuest guest, ManagedMemoryRegion other)
    {
        const uint PageDirectories = SecondTables + 0x1000;
        const uint Directory = SecondTables + 0x2000;
        guest.WriteEntry(SecondTables, PageDirectories | 3);
        guest.WriteEntry(PageDirectories, Directory | 3);
        guest.WriteEntry(Directory, 3 | LargePage);
        guest.WriteEntry(Directory + 8, 0x20_0003 | LargePage);
        other.Write(Function, LinkedGuest.Assemble(AliasOfFunction, static c => { c.mov(eax, 5); c.ret(); }));
        guest.Machine.MapMemory(1, GuestMapping.Whole(0x20_0000, other, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Translations and code that change while they are in use, and accesses that need two of them.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class TranslationTests(TestTarget target) : MachineTest(target)
{
    private const ulong Root = 0x1000;
    private const ulong TestPage = 0x2_0000;
    private const ulong Tables = 0x3_0000;
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong All = Present | Writable | User;
    private const ulong NoExecute = 1UL << 63;
    private const int Cr4Global = 0x80;

    /// <summary>What makes a processor forget translations.</summary>
    public enum Flush
    {
        /// <summary>INVLPG: those of a page.</summary>
        Page,

        /// <summary>MOV to CR3: those that are not global.</summary>
        NonGlobal,

        /// <summary>A change of CR4.PGE: all.</summary>
        All,
    }

    [Test]
    public void A_translation_of_the_user_ends_with_the_invalidation_by_the_supervisor([Values] Flush flush, [Values] bool isWritten)
    {
        Guest.Write(EntryOf(TestPage), TestPage | All);
        Guest.Write(TestPage, 1);
        Guest.Write(TestPage + 0x1000, 2);
        Guest.SetGate(Open, level: 3, handler: FurtherCode);
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.mov(rax, (TestPage + 0x1000) | All);
            c.mov(__[EntryOf(TestPage)], rax);
            Forget(c, flush);
            c.iretq();
        });

        Guest.RunUser((c, _) =>
        {
            if (isWritten)
            {
                c.mov(__dword_ptr[TestPage], 1);
            }

            c.mov(rbx, __[TestPage]);
            c.@int(Open);
            c.mov(rcx, __[TestPage]);
            if (isWritten)
            {
                c.mov(__dword_ptr[TestPage], 3);
            }

            c.@int(Exit);
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo((1UL, 2UL)));
        Assert.That((Guest.Read(TestPage), Guest.Read(TestPage + 0x1000)), Is.EqualTo((1UL, isWritten ? 3UL : 2UL)));
    }

    [Test]
    public void Hot_code_over_two_pages_is_found_again_after_other_tables()
    {
        foreach (int table in (ReadOnlySpan<int>)[0, 1, 2, 3])
        {
            Guest.Memory.GetSpan((nuint)Root + (nuint)(0x1000 * table), 0x1000)
                .CopyTo(Guest.Memory.GetSpan((nuint)Tables + (nuint)(0x1000 * table), 0x1000));
        }

        Guest.Write(Tables, (Tables + 0x1000) | All);
        Guest.Write(Tables + 0x1000, (Tables + 0x2000) | All);
        Guest.Write(Tables + 0x2000, (Tables + 0x3000) | All);
        Guest.Write(Tables + 0x3000 + (EntryOf(TestPage) - PageTable), (TestPage + 0x1000) | Present | Writable);

        RunHotCodeThatMoves(static c =>
        {
            c.mov(rax, Tables);
            c.mov(cr3, rax);
        });
    }

    [Test]
    public void Hot_code_over_two_pages_is_found_again_after_a_change_of_its_entry([Values] Flush flush) => RunHotCodeThatMoves(c =>
    {
        c.mov(rax, (TestPage + 0x1000) | Present | Writable);
        c.mov(__[EntryOf(TestPage)], rax);
        Forget(c, flush);
    });

    [Test]
    public void Code_that_the_user_writes_is_what_the_supervisor_executes()
    {
        // mov eax, imm32; ret
        Guest.Memory.Write((nuint)UserData, [0xB8, 0, 0, 0, 0, 0xC3]);
        Guest.SetGate(Open, level: 3, handler: FurtherCode);
        Guest.Place(FurtherCode, (c, _) =>
        {
            c.mov(rbx, UserData);
            c.call(rbx);
            c.shl(rcx, 8);
            c.add(rcx, rax);
            c.iretq();
        });

        Guest.RunUser((c, _) =>
        {
            c.xor(ecx, ecx);
            for (int i = 1; i <= 3; i++)
            {
                // Twice, so that the processor remembers that it may write there.
                c.mov(__byte_ptr[UserData + 1], 0x77);
                c.mov(__byte_ptr[UserData + 1], i);
                c.@int(Open);
            }

            c.@int(Exit);
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rcx, Is.EqualTo(0x01_02_03));
    }

    /// <summary>A right that one level does not give is not given, whichever level it is.</summary>
    [Test]
    public void Rights_are_those_that_every_level_gives([Values(0, 1, 2, 3)] int level, [Values(User, Writable, NoExecute)] ulong right)
    {
        const ulong address = 1UL << 39;
        ulong[] entries = [Root + 8, Tables, Tables + 0x1000, Tables + 0x2000];
        ulong[] targets = [Tables, Tables + 0x1000, Tables + 0x2000, TestPage];
        for (int i = 0; i < entries.Length; i++)
        {
            Guest.Write(entries[i], targets[i] | (i == level ? All ^ right : All));
        }

        Guest.Memory.GetSpan((nuint)TestPage, 1)[0] = 0xC3;
        foreach ((string access, ulong error, bool isRefused) in new[]
            {
                ("read", 5UL, right == User), ("write", 7UL, right is User or Writable), ("execute", 0x15UL, right is User or NoExecute),
            })
        {
            Guest.Events.Clear();
            Guest.RunUser((c, at) =>
            {
                c.mov(rbx, address);
                at.Here();
                switch (access)
                {
                    case "read": c.mov(al, __[rbx]); break;
                    case "write": c.mov(__byte_ptr[rbx], 0xC3); break;
                    default: c.call(rbx); break;
                }

                c.@int(Exit);
            });

            Assert.That(
                Guest.Events.Select(e => (e.Vector, e.Error, e.Cr2)),
                Is.EqualTo(isRefused ? [(PageFault, (ulong?)error, address)] : Array.Empty<(byte, ulong?, ulong)>()),
                access);
        }
    }

    [Test]
    public void An_instruction_over_two_pages_changes_with_its_bytes_in_the_second([Values(1, 2, 3, 4)] int inFirst)
    {
        // mov eax, imm32; ret
        ulong function = TestPage + 0x1000 - (ulong)inFirst;
        Guest.Memory.Write((nuint)function, [0xB8, 1, 0, 0, 0, 0xC3]);

        Guest.RunKernel((c, _) =>
        {
            Label again = c.CreateLabel();
            c.xor(ebx, ebx);
            c.mov(esi, 40);
            c.Label(ref again);
            c.call(function);
            c.add(ebx, eax);
            c.add(__byte_ptr[TestPage + 0x1000 + (ulong)(4 - inFirst)], 1);
            c.dec(esi);
            c.jne(again);
            c.hlt();
        });

        // The highest byte counts up, or the one that is where the return was.
        uint expected = 0;
        for (uint i = 0; i < 40; i++)
        {
            expected += 1 + (i << 24);
        }

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(expected));
    }

    /// <summary>The second page is elsewhere in memory, and what follows the first belongs to others, or to nobody.</summary>
    [TestCase(1, 0x2_3000UL)]
    [TestCase(2, 0x2_3000UL)]
    [TestCase(4, 0x2_3000UL)]
    [TestCase(8, 0x2_3000UL)]
    [TestCase(2, 0x3_F000UL)]
    [TestCase(4, 0x3_F000UL)]
    [TestCase(8, 0x3_F000UL)]
    public void Hot_accesses_over_the_end_of_a_page_reach_the_next_one(int size, ulong first)
    {
        const ulong address = 0x5_0000;
        const ulong second = TestPage;
        const int rounds = 0x20;
        const ulong start = address + 0x1000 - (rounds / 2);
        Guest.Write(EntryOf(address), first | Present | Writable);
        Guest.Write(EntryOf(address + 0x1000), second | Present | Writable);
        byte[] model = new byte[0x2000];
        new Random(size).NextBytes(model);
        Guest.Memory.Write((nuint)first, model.AsSpan(0, 0x1000));
        Guest.Memory.Write((nuint)second, model.AsSpan(0x1000));

        Guest.RunKernel((c, _) =>
        {
            Label again = c.CreateLabel();
            c.mov(rbx, start);
            c.mov(esi, rounds);
            c.xor(edx, edx);
            c.Label(ref again);
            switch (size)
            {
                case 1:
                    c.movzx(eax, __byte_ptr[rbx]);
                    c.add(__byte_ptr[rbx], 0x11);
                    c.mov(__byte_ptr[rbx + 0x40], al);
                    break;
                case 2:
                    c.movzx(eax, __word_ptr[rbx]);
                    c.add(__word_ptr[rbx], 0x1111);
                    c.mov(__word_ptr[rbx - 1], si);
                    break;
                case 4:
                    c.mov(eax, __dword_ptr[rbx]);
                    c.add(__dword_ptr[rbx], 0x1111_1111);
                    c.mov(__dword_ptr[rbx - 1], esi);
                    break;
                default:
                    c.mov(rax, __qword_ptr[rbx]);
                    c.add(__qword_ptr[rbx], 0x1111_1111);
                    c.mov(__qword_ptr[rbx - 1], rsi);
                    break;
            }

            c.rol(rdx, 7);
            c.xor(rdx, rax);
            c.inc(rbx);
            c.dec(esi);
            c.jne(again);
            c.hlt();
        });

        ulong hash = Replay(model, size, rounds);
        Assert.That(Guest.Machine.GetGeneralRegisters().Rdx, Is.EqualTo(hash));
        Assert.That(Guest.Memory.GetSpan((nuint)first, 0x1000).SequenceEqual(model.AsSpan(0, 0x1000)), "the first page");
        Assert.That(Guest.Memory.GetSpan((nuint)second, 0x1000).SequenceEqual(model.AsSpan(0x1000)), "the second page");
        if (first + 0x1000 < (ulong)Guest.Memory.Size)
        {
            Assert.That(Guest.Memory.GetSpan((nuint)first + 0x1000, 0x1000).IndexOfAnyExcept((byte)0), Is.EqualTo(-1), "the page behind");
        }
    }

    /// <summary>Calls a function until it is hot, moves it to the next page, and calls that until it is hot.</summary>
    private void RunHotCodeThatMoves(Action<Assembler> move)
    {
        const int calls = 40;
        Guest.Place(TestPage, (c, _) => { c.mov(eax, 1); c.ret(); });
        Guest.Place(TestPage + 0x1000, (c, _) => { c.mov(eax, 100); c.ret(); });

        Guest.RunKernel((c, _) =>
        {
            Label outer = c.CreateLabel();
            Label inner = c.CreateLabel();
            c.xor(ebx, ebx);
            c.mov(edi, 2);
            c.Label(ref outer);
            c.mov(esi, calls);
            c.Label(ref inner);
            c.call(TestPage);
            c.add(ebx, eax);
            c.dec(esi);
            c.jne(inner);
            move(c);
            c.dec(edi);
            c.jne(outer);
            c.hlt();
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(calls * 101));
    }

    private static void Forget(Assembler c, Flush flush)
    {
        switch (flush)
        {
            case Flush.Page:
                c.invlpg(__[TestPage]);
                break;
            case Flush.NonGlobal:
                c.mov(rax, cr3);
                c.mov(cr3, rax);
                break;
            default:
                c.mov(rax, cr4);
                c.xor(rax, Cr4Global);
                c.mov(cr4, rax);
                break;
        }
    }

    /// <summary>Does to two pages that lie after each other what the guest does.</summary>
    private static ulong Replay(byte[] model, int size, int rounds)
    {
        ulong hash = 0;
        int at = 0x1000 - (rounds / 2);
        ulong Get(int offset)
        {
            ulong value = 0;
            for (int i = 0; i < size; i++)
            {
                value |= (ulong)model[offset + i] << (8 * i);
            }

            return value;
        }

        void Put(int offset, ulong value)
        {
            for (int i = 0; i < size; i++)
            {
                model[offset + i] = (byte)(value >> (8 * i));
            }
        }

        for (int left = rounds; left > 0; left--, at++)
        {
            ulong value = Get(at);
            Put(at, value + (size switch { 1 => 0x11UL, 2 => 0x1111, _ => 0x1111_1111 }));
            Put(size == 1 ? at + 0x40 : at - 1, size == 1 ? value : (ulong)left);
            hash = ulong.RotateLeft(hash, 7) ^ value;
        }

        return hash;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Iced.Intel;
using static Hyperlight.Tests.Machine.SystemGuest;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Machine;

/// <summary>Code that was executed often enough to be compiled, and then changes or is gone.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class HotCodeTests(TestTarget target) : MachineTest(target)
{
    private const ulong TestPage = 0x2_0000;
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const int Calls = 40;
    private const byte First = 1;
    private const byte Second = 100;

    /// <summary>Which instruction writes.</summary>
    public enum Write
    {
        Move,
        Exchange,
        String,
    }

    /// <summary>MOV EAX, an immediate value; RET. The value is in the second page.</summary>
    [Test]
    public void An_instruction_over_two_pages_has_the_bytes_of_the_page_that_follows_now([Values(1, Calls)] int calls)
    {
        const ulong function = TestPage + 0xFFF;
        const ulong next = TestPage + 0x1000;
        const ulong other = TestPage + 0x4000;
        Guest.Memory.Write((nuint)function, [0xB8, First, 0, 0, 0, 0xC3]);
        Guest.Memory.Write((nuint)other, [Second, 0, 0, 0, 0xC3]);

        RunBeforeAndAfter(calls, function, c =>
        {
            c.mov(rax, other | Present | Writable);
            c.mov(__[EntryOf(next)], rax);
            c.invlpg(__[next]);
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(calls * (First + Second)));
    }

    [Test]
    public void A_write_to_one_page_of_hot_code_is_seen_from_the_other()
    {
        Guest.Memory.Write((nuint)TestPage, [0xB8, First, 0, 0, 0, 0xC3]);

        RunBeforeAndAfter(Calls, TestPage, c => c.mov(__byte_ptr[TestPage + 1], Second));

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(Calls * (First + Second)));
    }

    /// <summary>The code falls through from one page to the next: there a block begins that is entered from no other place.</summary>
    [Test]
    public void A_write_behind_the_end_of_a_page_is_seen_by_hot_code_that_runs_over_it()
    {
        const ulong next = TestPage + 0x1000;

        // TEST ESP, ESP; JE, which is never taken.
        Guest.Memory.Write((nuint)next - 4, [0x85, 0xE4, 0x74, 0x10, 0xB8, First, 0, 0, 0, 0xC3]);

        RunBeforeAndAfter(Calls, next - 4, c => c.mov(__byte_ptr[next + 1], Second));

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(Calls * (First + Second)));
    }

    [Test]
    public void A_write_to_a_function_is_seen_by_every_hot_loop_that_calls_it()
    {
        Guest.Memory.Write((nuint)TestPage, [0xB8, First, 0, 0, 0, 0xC3]);

        Guest.RunKernel((c, _) =>
        {
            Label outer = c.CreateLabel();
            c.xor(ebx, ebx);
            c.mov(edi, 2);
            c.Label(ref outer);
            for (int i = 0; i < 3; i++)
            {
                Label again = c.CreateLabel();
                c.mov(esi, Calls);
                c.Label(ref again);
                c.call(TestPage);
                c.add(ebx, eax);
                c.dec(esi);
                c.jne(again);
            }

            c.mov(__byte_ptr[TestPage + 1], Second);
            c.dec(edi);
            c.jne(outer);
            c.hlt();
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(3 * Calls * (First + Second)));
    }

    /// <summary>The last of many writes hits the instruction behind it.</summary>
    [Test]
    public void A_write_of_hot_code_changes_the_instruction_that_follows([Values] Write write)
    {
        Guest.RunKernel((c, at) =>
        {
            Label again = c.CreateLabel();
            c.xor(ebx, ebx);
            c.mov(esi, Calls);
            c.lea(r9, __[at.Label]);
            c.inc(r9);
            c.mov(r8, Data);
            c.Label(ref again);
            c.cmp(esi, 1);
            c.cmove(r8, r9);
            c.mov(eax, Second);
            c.mov(rdi, r8);
            switch (write)
            {
                case Write.Move: c.mov(__byte_ptr[rdi], al); break;
                case Write.Exchange: c.xchg(__byte_ptr[rdi], al); break;
                default: c.stosb(); break;
            }

            at.Here();
            c.mov(edx, First);
            c.add(ebx, edx);
            c.dec(esi);
            c.jne(again);
            c.hlt();
        });

        Assert.That(Guest.Machine.GetGeneralRegisters().Rbx, Is.EqualTo(((Calls - 1) * First) + Second));
    }

    [Test]
    public void Hot_code_of_which_a_page_is_gone_changes_nothing_that_the_guest_sees()
    {
        const ulong faultAddress = 0x1234;
        Guest.Memory.Write((nuint)TestPage, [0xB8, First, 0, 0, 0, 0xC3]);

        Guest.RunKernel((c, _) =>
        {
            Label outer = c.CreateLabel();
            Label again = c.CreateLabel();
            Label skip = c.CreateLabel();
            c.mov(eax, (uint)faultAddress);
            c.mov(cr2, rax);
            c.xor(ebx, ebx);
            c.mov(edi, 1);
            c.Label(ref outer);
            c.mov(esi, Calls);
            c.Label(ref again);
            c.test(edi, edi);
            c.je(skip);
            c.call(TestPage);
            c.add(ebx, eax);
            c.Label(ref skip);
            c.dec(esi);
            c.jne(again);
            c.mov(__qword_ptr[EntryOf(TestPage)], 0);
            c.invlpg(__[TestPage]);
            c.dec(edi);
            c.je(outer);
            c.mov(rcx, cr2);
            c.hlt();
        });

        GeneralRegisters registers = Guest.Machine.GetGeneralRegisters();
        Assert.That(Guest.Events, Is.Empty);
        Assert.That((registers.Rbx, registers.Rcx), Is.EqualTo(((ulong)Calls, faultAddress)));
    }

    /// <summary>Adds up what a function returns, a number of times before a change and as often after it.</summary>
    private void RunBeforeAndAfter(int calls, ulong function, Action<Assembler> change) => Guest.RunKernel((c, _) =>
    {
        Label outer = c.CreateLabel();
        Label again = c.CreateLabel();
        c.xor(ebx, ebx);
        c.mov(edi, 2);
        c.Label(ref outer);
        c.mov(esi, calls);
        c.Label(ref again);
        c.call(function);
        c.add(ebx, eax);
        c.dec(esi);
        c.jne(again);
        change(c);
        c.dec(edi);
        c.jne(outer);
        c.hlt();
    });
}

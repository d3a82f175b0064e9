using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Operands beside each other are translated once in machine code, and flags are not saved that others replace: wherever operands
/// lie, memory, registers, counts and exits are those of the interpreter.
/// </summary>
[TestFixture]
internal sealed class SpanTests
{
    private const ulong Data = 0xA000;
    private const int PageSize = 0x1000;
    private const int Length = 2 * PageSize;

    /// <summary>More than any of the code uses.</summary>
    private const int Reach = 72;

    /// <summary>How often the code is executed in a run: all of its blocks are compiled together then.</summary>
    private const int Turns = 5;

    /// <summary>The end of the guest's memory.</summary>
    private const ulong End = 0x1_0000;

    private static readonly Dictionary<string, Action<Assembler>> Codes = new()
    {
        ["a structure"] = static c =>
        {
            c.mov(rax, __qword_ptr[rdi + 8]);
            c.add(__qword_ptr[rdi], rax);
            c.adc(__dword_ptr[rdi + 16], 5);
            c.movzx(ecx, __byte_ptr[rdi + 3]);
            c.seto(__byte_ptr[rdi + 30]);
            c.cmp(__byte_ptr[rdi + 31], 7);
            c.cmovb(rdx, __qword_ptr[rdi + 8]);
            c.movups(xmm1, __[rdi + 40]);
            c.paddb(xmm1, xmm1);
            c.movups(__[rdi + 16], xmm1);
        },
        ["a structure that is only read"] = static c =>
        {
            c.movsx(rax, __word_ptr[rdi + 60]);
            c.cmovns(rcx, __qword_ptr[rdi + 32]);
            c.sub(rdx, __qword_ptr[rdi + 8]);
            c.sbb(rdx, __qword_ptr[rdi]);
        },
        ["elements"] = static c =>
        {
            c.mov(eax, __dword_ptr[rdi + rsi * 4]);
            c.xor(__dword_ptr[rdi + rsi * 4 + 4], eax);
            c.dec(__word_ptr[rdi + rsi * 4 + 9]);
            c.shl(__dword_ptr[rdi + rsi * 4 + 16], 3);
            c.lea(rdx, __[rdi + rsi * 4]);
            c.cmp(rax, rdx);
        },
        ["an address that changes"] = static c =>
        {
            c.mov(rax, __qword_ptr[rdi]);
            c.add(rdi, 8);
            c.mov(__qword_ptr[rdi], rax);
            c.mov(__qword_ptr[rdi + 8], rdi);
            c.mov(rdi, __qword_ptr[rdi + 8]);
            c.mov(rdx, __qword_ptr[rdi + 16]);
        },
        ["a way out before the write"] = static c =>
        {
            Label end = c.CreateLabel();
            c.mov(rax, __qword_ptr[rdi]);
            c.test(al, 1);
            c.je(end);
            c.add(__qword_ptr[rdi + 8], rax);
            c.cmp(rax, __qword_ptr[rdi + 16]);
            c.ja(end);
            c.mov(__qword_ptr[rdi + 24], rax);
            c.Label(ref end);
        },
        ["a way out in later turns"] = static c =>
        {
            Label end = c.CreateLabel();
            c.mov(eax, __dword_ptr[LongModeGuest.DataAddress]);
            c.cmp(eax, 3);
            c.jb(end);
            c.add(__dword_ptr[rdi], eax);
            c.mov(ecx, __dword_ptr[rdi + 8]);
            c.cmp(eax, 3);
            c.je(end);
            c.mov(__dword_ptr[rdi + 16], ecx);
            c.Label(ref end);
            c.inc(ebx);
        },
        ["the stack"] = static c =>
        {
            c.mov(rsp, rdi);
            c.push(rax);
            c.push(rbx);
            c.sub(rsp, 24);
            c.mov(__qword_ptr[rsp + 8], rdx);
            c.add(__qword_ptr[rsp + 16], 3);
            c.pop(rcx);
            c.lea(rsp, __[rsp + 16]);
            c.pop(rax);
            c.pop(rsp);
            c.mov(rsp, rdi);
            c.push(-5);
            c.push(rsp);
            c.pop(rbp);
        },
        ["calls"] = static c =>
        {
            Label function = c.CreateLabel();
            Label end = c.CreateLabel();
            c.mov(rsp, rdi);
            c.push(rax);
            c.call(function);
            c.pop(rdx);
            c.jmp(end);
            c.Label(ref function);
            c.push(rbx);
            c.mov(rbx, __qword_ptr[rsp + 16]);
            c.pop(rcx);
            c.ret();
            c.Label(ref end);
        },
        ["two structures in turns"] = static c =>
        {
            c.mov(rax, __qword_ptr[rdi]);
            c.mov(rcx, __qword_ptr[rdi + 8]);
            c.mov(__qword_ptr[rsi * 2 + (int)Data], rax);
            c.mov(__qword_ptr[rsi * 2 + (int)Data + 8], rcx);
            c.mov(rax, __qword_ptr[rdi + 16]);
        },
        ["flags that others replace"] = static c =>
        {
            Label end = c.CreateLabel();
            c.add(al, 0x7F);
            c.mov(rdx, __qword_ptr[rdi]);
            c.cmp(bx, 0x1234);
            c.ja(end);
            c.mov(rcx, __qword_ptr[rdi + rsi * 8]);
            c.test(ebx, 0x40);
            c.mov(__dword_ptr[rdi + 8], ecx);
            c.and(rbx, 0x7F);
            c.movzx(edx, __byte_ptr[rdi + 1]);
            c.sub(ecx, ebx);
            c.mov(rcx, __qword_ptr[rdi + rsi * 4]);
            c.or(cx, dx);
            c.mov(rdx, __qword_ptr[rdi - 8]);
            c.xor(edx, edx);
            c.mov(__byte_ptr[rdi + rsi], al);
            c.cmp(__dword_ptr[rdi + rsi * 2], edx);
            c.Label(ref end);
        },
        ["fixed addresses"] = static c =>
        {
            c.mov(rax, __qword_ptr[Data + 8]);
            c.mov(__qword_ptr[Data + PageSize - 4], rax);
            c.mov(__qword_ptr[Data + PageSize + 4], rdi);
            c.mov(rdx, __qword_ptr[Data + PageSize]);
        },
    };

    private static IEnumerable<string> Names => Codes.Keys;

    private static IEnumerable<ulong> Addresses =>
    [
        Data, LongModeGuest.CodeAddress + 0x800, LongModeGuest.UnmappedAddress, 1UL << 63, ulong.MaxValue - 15, (1UL << 47) - 20,
        .. Enumerable.Range(0, Reach).Select(i => Data + PageSize - Reach + 16 + (ulong)i),
        .. Enumerable.Range(0, Reach / 4).Select(i => End - (ulong)(4 * i)),
    ];

    [SetUp]
    public void Require() => EmittingHost.Require();

    /// <summary>Also where the guest uses so many registers that those of the operands are in memory.</summary>
    [Test]
    public void Operands_beside_each_other_are_those_of_the_interpreter([ValueSource(nameof(Names))] string name, [Values] bool hasManyRegisters)
    {
        using LongModeGuest interpreted = Create(isCompiled: false, name, hasManyRegisters);
        using LongModeGuest compiled = Create(isCompiled: true, name, hasManyRegisters);
        var random = new Random(11);
        foreach (ulong address in Addresses.Concat(Addresses))
        {
            byte[] memory = new byte[Length];
            random.NextBytes(memory);
            int budget = random.Next(3) == 0 ? random.Next(1, 100) : 1000;

            Assert.That(
                Run(compiled, address, memory, budget), Is.EqualTo(Run(interpreted, address, memory, budget)), $"at 0x{address:X}, budget {budget}");
            Assert.That(
                compiled.Memory.GetSpan((nuint)Data, Length).SequenceEqual(interpreted.Memory.GetSpan((nuint)Data, Length)), $"at 0x{address:X}");
        }
    }

    /// <summary>Until then the code has no second copy of the instructions, and the interpreter executes them where they are in two pages.</summary>
    [Test]
    public void Code_is_compiled_again_once_operands_were_often_in_two_pages()
    {
        const int Runs = 100;
        using LongModeGuest guest = Create(isCompiled: true, "a structure", hasManyRegisters: false);
        var machine = (EmulatorVirtualMachine)guest.Machine;
        byte[] memory = new byte[Length];
        RunAt(Data);
        long inOnePage = machine.CompiledSize;

        RunAt(Data);
        long stillInOnePage = machine.CompiledSize;
        RunAt(Data + PageSize - 12);
        long inTwoPages = machine.CompiledSize;
        RunAt(Data + PageSize - 12);

        Assert.That(inOnePage, Is.Positive);
        Assert.That(stillInOnePage, Is.EqualTo(inOnePage));
        Assert.That(inTwoPages, Is.GreaterThan(inOnePage));
        Assert.That(machine.CompiledSize, Is.EqualTo(inTwoPages), "it is compiled again once");

        void RunAt(ulong address)
        {
            for (int i = 0; i < Runs; i++)
            {
                Run(guest, address, memory, budget: 1000);
            }
        }
    }

    private static (VmExit, long, ulong, GeneralRegisters) Run(LongModeGuest guest, ulong address, byte[] memory, int budget)
    {
        guest.Memory.Write((nuint)Data, memory);
        guest.Memory.Write((nuint)LongModeGuest.DataAddress, [Turns, 0, 0, 0]);
        guest.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rip = LongModeGuest.CodeAddress,
            Rsp = LongModeGuest.StackTop,
            Rax = memory[0],
            Rbx = 0x1122_3344_5566_7788,
            Rdi = address,
            Rsi = 2,
            Rflags = 2,
        });
        var counter = (IInstructionCounter)guest.Machine;
        long before = counter.InstructionCount;
        counter.InstructionBudget = budget;
        VmExit exit = guest.Machine.Run();
        return (exit, counter.InstructionCount - before, guest.Machine.GetSpecialRegisters().Cr2, guest.Machine.GetGeneralRegisters());
    }

    private static LongModeGuest Create(bool isCompiled, string name, bool hasManyRegisters) => new(
        new EmulatorHypervisor(new EmulatorOptions
        {
            TranslateHotCode = isCompiled,
            HotThreshold = 2,
            Tier = CodeTier.Machine,
            VerifiesEmittedCode = true,
        }),
        c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            for (int i = 0; i < 8 && hasManyRegisters; i++)
            {
                c.add(r8, r9);
                c.add(r10, r11);
                c.add(r12, r13);
                c.add(r14, r15);
                c.add(rbx, rbp);
            }

            Codes[name](c);
            c.dec(__dword_ptr[LongModeGuest.DataAddress]);
            c.jne(again);
            c.hlt();
        });
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Repeated string instructions do the same in machine code and interpreted: to memory, registers and counts.</summary>
[TestFixture]
internal sealed class StringCodeTests
{
    private const int First = 0x9800;
    private const int Length = 0x4000;
    private const int Cases = 300;

    /// <summary>Enough for all but the largest counts, which would run into memory that does not exist, or for ever.</summary>
    private const int Budget = 40;

    /// <summary>In flags.</summary>
    private const ulong Backwards = 0x400;

    private static readonly ulong[] Counts = [0, 1, 2, 3, 7, 8, 9, 100, 255, 511, 512, 1000, 1023, 1024, 1025, 2047, 4095, 4096, 4097, 8193, 1UL << 32, 1UL << 61, ulong.MaxValue];

    private static readonly Dictionary<string, Action<Assembler>> Instructions = new()
    {
        ["movsb"] = static c => c.rep.movsb(),
        ["movsw"] = static c => c.rep.movsw(),
        ["movsd"] = static c => c.rep.movsd(),
        ["movsq"] = static c => c.rep.movsq(),
        ["stosb"] = static c => c.rep.stosb(),
        ["stosw"] = static c => c.rep.stosw(),
        ["stosd"] = static c => c.rep.stosd(),
        ["stosq"] = static c => c.rep.stosq(),
    };

    private static IEnumerable<string> Names => Instructions.Keys;

    [SetUp]
    public void Require() => EmittingHost.Require();

    /// <summary>Also where the guest uses so many registers that the instruction's own are in memory.</summary>
    [Test]
    public void Elements_are_those_of_the_interpreter([ValueSource(nameof(Names))] string name, [Values] bool hasManyRegisters)
    {
        const int Seed = 77;
        var random = new Random(Seed);
        using LongModeGuest interpreted = Create(isCompiled: false, name, hasManyRegisters);
        using LongModeGuest compiled = Create(isCompiled: true, name, hasManyRegisters);
        for (int i = 0; i < Cases; i++)
        {
            byte[] memory = new byte[Length];
            random.NextBytes(memory);
            bool isBackwards = random.Next(8) == 0;

            // Backwards, so few that the code is not reached.
            int lowest = isBackwards ? First + (Length / 2) : First;
            int counts = isBackwards ? Array.IndexOf(Counts, 1025UL) : Counts.Length;
            var registers = new GeneralRegisters
            {
                Rip = LongModeGuest.CodeAddress,
                Rsp = LongModeGuest.StackTop,
                Rax = (ulong)random.NextInt64(),
                Rcx = Counts[random.Next(counts)],
                Rsi = (ulong)(lowest + random.Next(Length / 2)),
                Rdi = (ulong)(lowest + random.Next(Length / 2)),
                Rflags = 2 | (isBackwards ? Backwards : 0),
            };

            // Sometimes it ends between two parts of the instruction.
            int budget = random.Next(3) == 0 ? random.Next(1, 20) : Budget;

            Assert.That(Run(compiled, memory, registers, budget), Is.EqualTo(Run(interpreted, memory, registers, budget)), $"case {i}: {registers}");
            Assert.That(compiled.Memory.GetSpan(First, Length).SequenceEqual(interpreted.Memory.GetSpan(First, Length)), $"case {i}: {registers}");
        }

        Assert.That(((EmulatorVirtualMachine)compiled.Machine).CodeEntries, Is.Positive);
    }

    /// <summary>Each of them becomes hundreds of bytes: a region takes fewer of them, as it is placed as a whole.</summary>
    [Test]
    public void A_trace_of_many_string_instructions_is_compiled()
    {
        const int Count = 300;
        using var guest = new LongModeGuest(
            new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine, VerifiesEmittedCode = true }),
            static c =>
            {
                Label again = c.CreateLabel();
                c.Label(ref again);
                for (int i = 0; i < Count; i++)
                {
                    c.rep.movsw();
                }

                c.inc(rbx);
                c.jmp(again);
            });
        var machine = (EmulatorVirtualMachine)guest.Machine;
        machine.InstructionBudget = 20 * Count;

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));
        Assert.That(machine.CompiledSize, Is.Positive);
        Assert.That(machine.CodeEntries, Is.Positive);
        Assert.That(machine.InstructionCount, Is.EqualTo(20 * Count));
    }

    /// <returns>How it ended, after how many instructions, and the registers.</returns>
    private static string Run(LongModeGuest guest, byte[] memory, in GeneralRegisters registers, int budget)
    {
        guest.Memory.Write(First, memory);
        guest.Machine.SetGeneralRegisters(registers);
        var counter = (IInstructionCounter)guest.Machine;
        long before = counter.InstructionCount;
        counter.InstructionBudget = budget;
        VmExit exit = guest.Machine.Run();
        return $"{exit} after {counter.InstructionCount - before} instructions: {guest.Machine.GetGeneralRegisters()}";
    }

    private static LongModeGuest Create(bool isCompiled, string name, bool hasManyRegisters) => new(
        new EmulatorHypervisor(new EmulatorOptions
        {
            TranslateHotCode = isCompiled,
            HotThreshold = 1,
            Tier = CodeTier.Machine,
            VerifiesEmittedCode = true,
        }),
        c =>
        {
            for (int i = 0; i < 3 && hasManyRegisters; i++)
            {
                c.add(rbx, r8);
                c.add(rbp, r9);
                c.add(r10, r11);
                c.add(r12, r13);
                c.add(r14, r15);
            }

            Instructions[name](c);
            c.setc(bl);
            c.hlt();
        });
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>A short call in a fresh process does not wait for the runtime to compile the compiler.</summary>
[TestFixture]
internal sealed class FirstCompilationTests
{
    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test]
    public void The_first_code_of_a_driver_is_compiled_when_a_machine_has_executed_many_instructions()
    {
        var emulator = new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine });
        using LongModeGuest first = CreateLoop(emulator);
        using LongModeGuest second = CreateLoop(emulator);

        Assert.That(CompiledAfter(first, 99_000), Is.Zero);
        Assert.That(CompiledAfter(first, 10_000), Is.Positive);
        Assert.That(CompiledAfter(second, 1000), Is.Positive);
    }

    private static long CompiledAfter(LongModeGuest guest, long instructions)
    {
        var machine = (EmulatorVirtualMachine)guest.Machine;
        machine.InstructionBudget = instructions;
        Assert.That(machine.Run(), Is.EqualTo(VmExit.InstructionBudgetExhausted));
        return machine.CompiledSize;
    }

    private static LongModeGuest CreateLoop(EmulatorHypervisor emulator) => new(emulator, static c =>
    {
        Iced.Intel.Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(rbx);
        c.jmp(again);
    });
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Emulator.MachineCode;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator;

/// <summary>Code that the host replaces between two runs of a guest, in each tier.</summary>
[TestFixture(CodeTier.Machine)]
[TestFixture(CodeTier.Intermediate)]
internal sealed class ReplacedCodeTests(CodeTier tier)
{
    private const ulong Function = 0xA000;
    private const int HotThreshold = 5;
    private LongModeGuest _guest = null!;

    /// <summary>A loop of RSI turns, of which the one in which RSI is RDI calls a function and adds what it returns.</summary>
    [SetUp]
    public void Create()
    {
        if (tier == CodeTier.Machine)
        {
            EmittingHost.Require();
        }

        _guest = new LongModeGuest(new EmulatorHypervisor(new EmulatorOptions { HotThreshold = HotThreshold, Tier = tier }), c =>
        {
            Label again = c.CreateLabel();
            Label skip = c.CreateLabel();
            c.Label(ref again);
            c.cmp(rsi, rdi);
            c.jne(skip);
            c.call(Function);
            c.add(rbx, rax);
            c.Label(ref skip);
            c.dec(rsi);
            c.jne(again);
            c.hlt();
        });
    }

    [TearDown]
    public void Destroy() => _guest?.Dispose();

    [Test]
    public void Compiled_code_that_the_host_replaces_is_not_executed_any_more()
    {
        for (int i = 1; i <= 5; i++)
        {
            WriteFunction(i);

            // Once is not enough to compile it.
            for (int run = 0; run < 2 * HotThreshold; run++)
            {
                Assert.That(Run(turns: 1, calledIn: 1), Is.EqualTo(i));
            }
        }
    }

    [Test]
    public void Code_that_the_host_replaced_before_it_was_compiled_is_compiled_as_it_is_then()
    {
        WriteFunction(1);
        Assert.That(Run(turns: 1, calledIn: 1), Is.EqualTo(1));
        WriteFunction(2);

        Assert.That(Run(turns: 100, calledIn: 50), Is.EqualTo(2));
    }

    [Test]
    public void A_reset_forgets_the_code_of_memory_that_the_guest_can_write()
    {
        var machine = (EmulatorVirtualMachine)_guest.Machine;
        WriteFunction(1);
        Run(turns: 100, calledIn: 50);
        Assert.That((machine.DecodedSize, machine.CompiledSize), Is.Not.EqualTo((0L, 0L)));

        machine.DiscardPendingState();

        Assert.That((machine.DecodedSize, machine.CompiledSize), Is.EqualTo((0L, 0L)));
        Assert.That(Run(turns: 100, calledIn: 50), Is.EqualTo(1));
    }

    /// <summary>The guest has changed nothing: what is restored is not code that keeps changing.</summary>
    [Test]
    public void Code_is_compiled_after_any_number_of_resets()
    {
        const int Resets = 30;
        var machine = (EmulatorVirtualMachine)_guest.Machine;
        for (int i = 1; i <= Resets; i++)
        {
            WriteFunction(i);
            Assert.That(Run(turns: 100, calledIn: 50), Is.EqualTo(i));
            Assert.That(machine.CompiledSize, Is.Positive, $"in run {i}");
            machine.DiscardPendingState();
        }
    }

    /// <summary>What one caller's code did to itself does not slow the next one down.</summary>
    [Test]
    public void Code_that_changed_itself_is_compiled_after_a_reset()
    {
        const int Changes = 20;
        var machine = (EmulatorVirtualMachine)_guest.Machine;
        long size = SizeOfHotCode();
        machine.DiscardPendingState();
        _guest.Memory.Write((nuint)Function, LongModeGuest.Assemble(static c =>
        {
            // The page of the loop.
            c.mov(__byte_ptr[LongModeGuest.CodeAddress + 0x800], 0xC3);
            c.mov(rax, LongModeGuest.CodeAddress + 0x800);
            c.call(rax);
            c.mov(eax, 7);
            c.ret();
        }));
        for (int i = 0; i < Changes; i++)
        {
            Run(turns: 1, calledIn: 1);
        }

        machine.DiscardPendingState();

        Assert.That(SizeOfHotCode(), Is.EqualTo(size));
    }

    /// <summary>Runs the loop, and then its function, until they are hot.</summary>
    private long SizeOfHotCode()
    {
        WriteFunction(5);
        Assert.That(Run(turns: 100, calledIn: 100), Is.EqualTo(5));
        for (int run = 0; run < 2 * HotThreshold; run++)
        {
            Assert.That(Run(turns: 1, calledIn: 1), Is.EqualTo(5));
        }

        return ((EmulatorVirtualMachine)_guest.Machine).CompiledSize;
    }

    private void WriteFunction(int value) => _guest.Memory.Write((nuint)Function, [0xB8, (byte)value, 0, 0, 0, 0xC3]);

    private ulong Run(ulong turns, ulong calledIn)
    {
        _guest.Restart();
        _guest.Machine.SetGeneralRegisters(_guest.Machine.GetGeneralRegisters() with { Rsi = turns, Rdi = calledIn });
        Assert.That(_guest.Machine.Run(), Is.EqualTo(VmExit.Halt));
        return _guest.Machine.GetGeneralRegisters().Rbx;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>The time-stamp counter where a guest can write it, and a restore puts it back by its adjustment.</summary>
[TestFixture]
internal sealed class MshvTimeStampTests
{
    private const uint Counter = 0x10;
    private const uint Adjustment = 0x3B;
    private const ulong Later = 1UL << 56;

    [Test]
    public void A_counter_that_was_advanced_for_a_snapshot_stays_advanced_at_the_next_restore()
    {
        RealLinux.Require();
        using SimulatedMachine machine = new(static code => code.hlt());
        ProcessorReset reset = new("mshv", machine.Machine, MsrPolicy.Default);
        ProcessorState state = reset.Capture(LongModeGuest.CodeAddress, LongModeGuest.StackTop) with { TimeStamp = Later };

        for (int i = 0; i < 3; i++)
        {
            reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);
            Assert.That(Read(machine, Counter), Is.GreaterThanOrEqualTo(Later), $"restore {i}");
        }
    }

    [Test]
    public void What_a_guest_adds_to_the_counter_is_taken_away()
    {
        RealLinux.Require();
        using SimulatedMachine machine = new(static code => code.hlt());
        ProcessorReset reset = new("mshv", machine.Machine, MsrPolicy.Default);
        ProcessorState state = reset.Capture(LongModeGuest.CodeAddress, LongModeGuest.StackTop);
        ulong adjustment = Read(machine, Adjustment);
        machine.Machine.SetMsrs([new ModelSpecificRegister(Counter, Later)]);

        reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);

        Assert.That(Read(machine, Adjustment), Is.EqualTo(adjustment));
        Assert.That(Read(machine, Counter), Is.LessThan(Later));
    }

    private static ulong Read(SimulatedMachine machine, uint index)
    {
        Span<ModelSpecificRegister> register = [new(index)];
        machine.Machine.GetMsrs(register);
        return register[0].Value;
    }
}

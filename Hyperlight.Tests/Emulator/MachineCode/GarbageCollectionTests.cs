using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>A guest that spins in machine code does not hold up the garbage collections of its host.</summary>
[TestFixture, NonParallelizable]
internal sealed class GarbageCollectionTests
{
    private const int Collections = 20;

    /// <summary>Far more than that takes on a busy machine. One that waits for the guest takes for ever.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [SetUp]
    public void Require() => EmittingHost.Require();

    [Test, EndsWithin(300)]
    public async Task A_garbage_collection_does_not_wait_for_a_guest_that_spins()
    {
        TimeSpan without = Collect();
        using var guest = new LongModeGuest(new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine, HotThreshold = 2 }), static c =>
        {
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.inc(rbx);
            c.jmp(again);
        });
        var machine = (EmulatorVirtualMachine)guest.Machine;
        Task<VmExit> run = Task.Factory.StartNew(machine.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (machine.CodeEntries == 0)
        {
            await Task.Delay(1);
        }

        TimeSpan with = Collect();
        bool isRunning = !run.IsCompleted;
        machine.Cancel();

        Assert.That(await run, Is.EqualTo(VmExit.Cancelled));
        Assert.That(isRunning, Is.True);
        TestContext.Out.WriteLine($"{Collections} collections paused {without.TotalMilliseconds:F1} ms without the guest, {with.TotalMilliseconds:F1} ms with it");
        Assert.That(with, Is.LessThan(Limit));
    }

    /// <returns>For how long the threads of this process were paused.</returns>
    private static TimeSpan Collect()
    {
        TimeSpan before = GC.GetTotalPauseDuration();
        for (int i = 0; i < Collections; i++)
        {
            GC.Collect();
        }

        return GC.GetTotalPauseDuration() - before;
    }
}

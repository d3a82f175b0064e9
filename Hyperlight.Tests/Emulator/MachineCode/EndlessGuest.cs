using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Runs a guest that computes until it is cancelled.</summary>
internal static class EndlessGuest
{
    // Far more than a busy machine needs: only what never ends takes longer.
    private const int MillisecondsToStart = 60_000;
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromMinutes(1);

    /// <summary>Runs the guest on a thread of its own, and cancels it once it executes machine code that was emitted for it.</summary>
    /// <param name="machine">What runs.</param>
    /// <param name="meanwhile">Is called while the guest computes.</param>
    public static void Run(IVirtualMachine machine, Action? meanwhile = null)
    {
        var emulator = (EmulatorVirtualMachine)machine;
        long before = emulator.CodeEntries;
        Task<VmExit> run = Task.Factory.StartNew(machine.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            Assert.That(() => emulator.CodeEntries, Is.GreaterThan(before).After(MillisecondsToStart, 10));
            meanwhile?.Invoke();
        }
        finally
        {
            machine.Cancel();
        }

        Assert.That(run.Wait(TimeToEnd), Is.True);
        Assert.That(run.Result, Is.EqualTo(VmExit.Cancelled));
    }
}

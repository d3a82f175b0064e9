using Hyperlight.Abstractions;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>MSHV_RUN_VP, and what other threads do meanwhile.</summary>
internal sealed unsafe partial class SimulatedVp
{
    /// <summary>Held while the emulator executes: memory cannot change then.</summary>
    private readonly Lock _executing = new();
    private int _interrupted;
    private int _pauses;

    /// <summary>A signal for the thread that runs the processor.</summary>
    public void Interrupt()
    {
        Volatile.Write(ref _interrupted, 1);
        machine.Cancel();
    }

    /// <summary>Stops the processor, if it runs, until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        Interlocked.Increment(ref _pauses);
        machine.Cancel();
        _executing.Enter();
    }

    /// <summary>Lets the processor go on.</summary>
    public void Resume()
    {
        Interlocked.Decrement(ref _pauses);
        _executing.Exit();
    }

    private int Run(Span<byte> message)
    {
        SimulatedMshvTraits traits = partition.Kernel.Traits;
        if (traits.RunsToTryAgain > 0)
        {
            traits.RunsToTryAgain--;
            return -Errno.EAGAIN;
        }

        if (traits.RunsInterrupted > 0)
        {
            traits.RunsInterrupted--;
            return -Errno.EINTR;
        }

        bool hasMessage = false;
        TakePage();
        partition.Kernel.Enter(this);
        try
        {
            while (true)
            {
                VmExit exit;
                try
                {
                    exit = Execute();
                }
                catch (HypervisorException)
                {
                    new SimulatedMessage(message, this).WriteInvalidRegisters();
                    return 0;
                }

                Stored[SimulatedRegisters.PendingInterruption] = 0;
                if (exit.Reason == VmExitReason.InterruptWindow)
                {
                    Notifications = 0;
                }

                if (exit.Reason != VmExitReason.Cancelled)
                {
                    new SimulatedMessage(message, this).Write(in exit);
                    FillPage(machine.GetGeneralRegisters());
                    return 0;
                }

                if (Volatile.Read(ref _interrupted) != 0)
                {
                    if (!hasMessage && traits.MessagesInFlight == 0)
                    {
                        return -Errno.EINTR;
                    }

                    traits.MessagesInFlight -= hasMessage ? 0 : 1;
                    hasMessage = true;
                    Volatile.Write(ref _interrupted, 0);
                }

                // Stopped for a change of memory, now or before this run began.
                while (Volatile.Read(ref _pauses) > 0)
                {
                    Thread.Yield();
                }
            }
        }
        finally
        {
            partition.Kernel.Leave();
            Volatile.Write(ref _interrupted, 0);
        }
    }

    private VmExit Execute()
    {
        lock (_executing)
        {
            return machine.Run();
        }
    }
}

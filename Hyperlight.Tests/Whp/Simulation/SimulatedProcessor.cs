using Hyperlight.Abstractions;
using Hyperlight.Emulator;

namespace Hyperlight.Tests.Whp;

/// <summary>A virtual processor: its runs and their cancellation.</summary>
internal sealed partial class SimulatedProcessor(SimulatedPartition partition, EmulatorVirtualMachine machine)
{
    /// <summary>Held while the emulator executes: memory cannot change then.</summary>
    private readonly Lock _executing = new();
    private readonly Lock _lock = new();
    private bool _cancelPending;
    private int _pauses;
    private int _users;

    public SimulatedPartition Partition => partition;

    public EmulatorVirtualMachine Machine => machine;

    /// <summary>Whether a thread is in WHvRunVirtualProcessor.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Whether a thread runs or cancels.</summary>
    public bool IsInUse => Volatile.Read(ref _users) > 0;

    /// <summary>WHvCancelRunVirtualProcessor: of no run, it is kept for the next one.</summary>
    public int Cancel()
    {
        Interlocked.Increment(ref _users);
        lock (_lock)
        {
            _cancelPending = true;
            if (IsRunning)
            {
                machine.Cancel();
            }
        }

        Interlocked.Decrement(ref _users);
        return SimulatedResults.Ok;
    }

    /// <summary>Stops the processor, if it runs, until <see cref="Resume"/>.</summary>
    public void Pause()
    {
        Interlocked.Increment(ref _pauses);
        lock (_lock)
        {
            if (IsRunning)
            {
                machine.Cancel();
            }
        }

        _executing.Enter();
    }

    /// <summary>Lets the processor go on.</summary>
    public void Resume()
    {
        Interlocked.Decrement(ref _pauses);
        _executing.Exit();
    }

    /// <summary>WHvRunVirtualProcessor.</summary>
    public int Run(Span<byte> context)
    {
        lock (_lock)
        {
            if (IsRunning)
            {
                partition.Platform.Violations.Add("a processor was run by two threads");
                return SimulatedResults.InvalidVpState;
            }

            IsRunning = true;
            Interlocked.Increment(ref _users);
        }

        try
        {
            while (!TakeCancellation())
            {
                VmExit exit;
                try
                {
                    exit = Execute();
                }
                catch (HypervisorException)
                {
                    new SimulatedExit(context, this).WriteInvalidRegisters();
                    return SimulatedResults.Ok;
                }

                _registers.Leave(in exit);
                if (exit.Reason != VmExitReason.Cancelled)
                {
                    new SimulatedExit(context, this).Write(in exit);
                    return SimulatedResults.Ok;
                }

                // Stopped for a change of memory, or cancelled.
                while (Volatile.Read(ref _pauses) > 0)
                {
                    Thread.Yield();
                }
            }

            new SimulatedExit(context, this).WriteCancelled();
            return SimulatedResults.Ok;
        }
        finally
        {
            lock (_lock)
            {
                IsRunning = false;
            }

            Interlocked.Decrement(ref _users);
        }
    }

    private bool TakeCancellation()
    {
        lock (_lock)
        {
            bool isPending = _cancelPending;
            _cancelPending = false;
            return isPending;
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

using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Execution.Waiting;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution;

/// <summary>
/// Ends the operation in progress, on request of a token, a handle, a limit of time or the sandbox's disposal. A request is
/// first recorded in the gate, then the machine is made to leave its guest and the token of host functions is cancelled.
/// No request throws.
/// </summary>
/// <remarks>
/// The driver may report a cancellation late, when the request was meant for an earlier call. Then the gate has none, and the
/// guest is entered again.
/// </remarks>
internal sealed class Interrupter
{
    /// <summary>How long after a driver failed to cancel it is asked again.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    private readonly SandboxGate _gate;
    private readonly ILogger _logger;
    private readonly DeadlineTimer _timer;

    /// <summary>What limits time is made with the first limit: most sandboxes have none.</summary>
    private Deadline? _deadline;
    private CpuTimeLimit? _cpuTime;

    /// <summary>Made when the driver fails to cancel.</summary>
    private Deadline? _retry;
    private volatile IVirtualMachine? _machine;

    /// <summary>The operation of which the last failure to cancel was logged. No operation has this number.</summary>
    private ulong _failedOperation = ulong.MaxValue;
    private HostFunctionTokenSource? _hostFunctions;
    private ICallWaiter? _waiter;

    private CancellationToken _cancellationToken;

    /// <param name="gate">Records requests.</param>
    /// <param name="machine">The machine to cancel.</param>
    /// <param name="meter">Counts what the operation in progress uses.</param>
    /// <param name="logger">For failures that the requester cannot handle.</param>
    /// <param name="timer">Serves the time limits; <see langword="null"/> for the one of the process.</param>
    public Interrupter(SandboxGate gate, IVirtualMachine machine, CallMeter meter, ILogger logger, DeadlineTimer? timer = null)
    {
        _timer = timer ?? DeadlineTimer.Shared;
        _gate = gate;
        _machine = machine;
        _logger = logger;
        Meter = meter;
    }

    /// <summary>Whether the virtual machine is gone.</summary>
    public bool IsDetached => _machine is null;

    /// <summary>What the operation in progress has used.</summary>
    public CallMeter Meter { get; }

    /// <summary>Whether the vCPU has run for as long as the operation in progress permits.</summary>
    public bool IsCpuTimeExceeded => _cpuTime is { IsExceeded: true };

    /// <summary>The guest's timer, which ends with the operation; <see langword="null"/> if the guest cannot have one.</summary>
    public GuestTimer? Timer { get; init; }

    /// <summary>Lets a token and the limits of time end the operation in progress, until the result is disposed.</summary>
    /// <param name="cancellationToken">The token.</param>
    public Watch Begin(CancellationToken cancellationToken)
    {
        _cancellationToken = cancellationToken;
        if (Meter.Limits.CpuTime != TimeSpan.MaxValue)
        {
            _cpuTime ??= new CpuTimeLimit(_timer, _gate, Meter.Cpu, number => Expire(CancellationReason.Budget, number));
            _cpuTime.Begin(Meter.Limits.CpuTime);
        }

        if (Meter.Limits.WallClockTime != TimeSpan.MaxValue)
        {
            _deadline ??= new Deadline(number => Expire(CancellationReason.Timeout, number));
            _timer.Arm(_deadline, Meter.Limits.WallClockTime, _gate.Operation);
        }

        return new Watch(this, cancellationToken.UnsafeRegister(
            static state => ((Interrupter)state!).Request(CancellationReason.CancellationToken), this));
    }

    /// <summary>The guest is entered, and the clock of the vCPU runs.</summary>
    public void WatchCpuTime() => _cpuTime?.Watch();

    /// <summary>Asks the operation in progress to end.</summary>
    /// <returns>Whether the guest was running.</returns>
    public bool Request(CancellationReason reason)
    {
        InterruptedOperation operation = _gate.Request(reason);
        Interrupt(operation);
        return operation.WasInGuest;
    }

    /// <summary>Carries out a request that the gate has recorded.</summary>
    public void Interrupt(InterruptedOperation operation)
    {
        if (!operation.IsNone)
        {
            End(operation.Number);
        }
    }

    /// <summary>Ends a wait of the operation in progress when that is to end. It has one wait at a time.</summary>
    public void Wait(ICallWaiter waiter)
    {
        // Published before the request is looked at, as the source of the token is.
        Interlocked.Exchange(ref _waiter, waiter);
        if (_gate.RequestedReason is not null)
        {
            waiter.End();
        }
    }

    /// <summary>The number of the operation in progress, or of the last one.</summary>
    public ulong Operation => _gate.Operation;

    /// <summary>Whether an operation is in progress.</summary>
    public bool IsInProgress(ulong operation) => _gate.IsInProgress(operation);

    /// <summary>A token for a host function, which is cancelled with the call, or already is if the call has ended.</summary>
    /// <param name="operation">The number of the call.</param>
    public CancellationToken GetHostFunctionToken(ulong operation)
    {
        HostFunctionTokenSource? existing = Volatile.Read(ref _hostFunctions);
        if (existing?.Operation == operation)
        {
            return existing.Token;
        }

        if (!_gate.IsInProgress(operation))
        {
            return new CancellationToken(canceled: true);
        }

        // Published before the request is looked at. A requester records its request before it looks for the source. So at
        // least one of the two threads sees the other. A function that outlives its call may be here on a thread of its own.
        var source = new HostFunctionTokenSource(operation);
        if (Interlocked.CompareExchange(ref _hostFunctions, source, existing) is { } other && other != existing)
        {
            return GetHostFunctionToken(operation);
        }

        if (!_gate.IsInProgress(operation) || _gate.RequestedReason is not null)
        {
            source.CancelAndLog(_logger);
        }

        return source.Token;
    }

    /// <summary>Ends the operation in progress if that was requested.</summary>
    /// <exception cref="ExecutionCanceledException">It was.</exception>
    public void ThrowIfRequested()
    {
        if (_gate.RequestedReason is not null)
        {
            throw CreateException(hostFunctionError: null);
        }
    }

    /// <summary>The error for the operation in progress, which was asked to end.</summary>
    /// <param name="hostFunctionError">What a host function threw last, if one did.</param>
    public ExecutionCanceledException CreateException(Exception? hostFunctionError) => _gate.RequestedReason switch
    {
        CancellationReason.CancellationToken => new ExecutionCanceledException(_cancellationToken, hostFunctionError),
        CancellationReason.Timeout => Meter.WallClockTimeExceeded(hostFunctionError),

        // Only a limit of time is a request; the others end the call where they are counted.
        CancellationReason.Budget => Meter.CpuTimeExceeded(hostFunctionError),
        { } reason => new ExecutionCanceledException(reason, hostFunctionError),
        null => throw new InvalidOperationException("Nothing has asked the operation to end."),
    };

    /// <summary>The virtual machine is about to be disposed.</summary>
    public void Detach() => _machine = null;

    /// <summary>Called on the timer's thread.</summary>
    private void Expire(CancellationReason reason, ulong operation)
    {
        if (!_gate.Request(reason, operation).IsNone)
        {
            End(operation);
        }
    }

    /// <summary>Ends an operation, without a callback of the application: the timer's thread and the one that disposes must not wait for one.</summary>
    private void End(ulong operation)
    {
        CancelMachine(operation);

        // Before the wait ends: the operation forgets its host functions when it is over.
        FindHostFunctions(operation)?.CancelOnOtherThread(_logger);
        EndWait(operation);
    }

    private void CancelMachine(ulong operation)
    {
        try
        {
            _machine?.Cancel();
        }
        catch (Exception exception)
        {
            // Requests are made in callbacks of tokens and on the timer's thread, where an exception ends the process.
            // One record for each operation, however often it is tried again.
            if (Interlocked.Exchange(ref _failedOperation, operation) != operation)
            {
                SandboxLog.CancellationFailed(_logger, exception);
            }

            RetryLater(operation);
        }
    }

    private void RetryLater(ulong operation)
    {
        try
        {
            _timer.Arm(LazyInitializer.EnsureInitialized(ref _retry, () => new Deadline(CancelMachineAgain)), RetryDelay, operation);
        }
        catch (OutOfMemoryException)
        {
            // The timer's thread could not be started.
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    Thread.Sleep(RetryDelay);
                    CancelMachineAgain(operation);
                },
                null);
        }
    }

    private void CancelMachineAgain(ulong operation)
    {
        if (_gate.Operation == operation && _gate.RequestedReason is not null)
        {
            CancelMachine(operation);
        }
    }

    private HostFunctionTokenSource? FindHostFunctions(ulong operation) =>
        Volatile.Read(ref _hostFunctions) is { } source && source.Operation == operation ? source : null;

    private void EndWait(ulong operation)
    {
        if (Volatile.Read(ref _waiter) is { } waiter && waiter.Operation == operation)
        {
            waiter.End();
        }
    }

    private void End()
    {
        Disarm(_deadline);
        Disarm(Volatile.Read(ref _retry));
        _cpuTime?.End();
        Timer?.Stop();
        Meter.End();
        Volatile.Write(ref _hostFunctions, null);
        Volatile.Write(ref _waiter, null);
        _cancellationToken = default;
    }

    private void Disarm(Deadline? deadline)
    {
        if (deadline is not null)
        {
            _timer.Disarm(deadline);
        }
    }

    /// <summary>An operation that a token and limits of time can end.</summary>
    public readonly struct Watch(Interrupter interrupter, CancellationTokenRegistration registration) : IDisposable, IAsyncDisposable
    {
        /// <summary>The operation is over: neither ends it any more. Waits for a request that is being made.</summary>
        public void Dispose()
        {
            registration.Dispose();
            interrupter.End();
        }

        /// <summary>Does what <see cref="Dispose"/> does, without occupying a thread.</summary>
        public async ValueTask DisposeAsync()
        {
            await registration.DisposeAsync().ConfigureAwait(false);
            interrupter.End();
        }
    }
}

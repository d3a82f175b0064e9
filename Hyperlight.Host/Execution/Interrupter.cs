using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Execution.Waiting;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution;

/// <summary>
/// Ends the operation in progress, on request of a token, a handle, a time limit or the sandbox's disposal. A request is
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
    private readonly Deadline _deadline;
    private readonly Deadline _retry;
    private volatile IVirtualMachine? _machine;

    /// <summary>The operation of which the last failure to cancel was logged. No operation has this number.</summary>
    private ulong _failedOperation = ulong.MaxValue;
    private HostFunctionTokenSource? _hostFunctions;
    private ICallWaiter? _waiter;

    private CancellationToken _cancellationToken;
    private TimeSpan _timeout;

    /// <param name="gate">Records requests.</param>
    /// <param name="machine">The machine to cancel.</param>
    /// <param name="logger">For failures that the requester cannot handle.</param>
    /// <param name="timer">Serves the time limits; <see langword="null"/> for the one of the process.</param>
    public Interrupter(SandboxGate gate, IVirtualMachine machine, ILogger logger, DeadlineTimer? timer = null)
    {
        _timer = timer ?? DeadlineTimer.Shared;
        _gate = gate;
        _machine = machine;
        _logger = logger;
        _deadline = new Deadline(Expire);
        _retry = new Deadline(CancelMachineAgain);
    }

    /// <summary>Whether the virtual machine is gone.</summary>
    public bool IsDetached => _machine is null;

    /// <summary>Lets a token and a time limit end the operation in progress, until the result is disposed.</summary>
    /// <param name="timeout">The limit, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">The token.</param>
    public Watch Begin(TimeSpan timeout, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _cancellationToken = cancellationToken;
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            _timer.Arm(_deadline, timeout, _gate.Operation);
        }

        return new Watch(this, cancellationToken.UnsafeRegister(
            static state => ((Interrupter)state!).Request(CancellationReason.CancellationToken), this));
    }

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

    /// <summary>A token for a host function, which is cancelled with the call.</summary>
    public CancellationToken GetHostFunctionToken()
    {
        if (_hostFunctions is { } existing)
        {
            return existing.Token;
        }

        // Published before the request is looked at. A requester records its request before it looks for the source. So at
        // least one of the two threads sees the other.
        var source = new HostFunctionTokenSource(_gate.Operation);
        Interlocked.Exchange(ref _hostFunctions, source);
        if (_gate.RequestedReason is not null)
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
        CancellationReason.Timeout => new ExecutionCanceledException(_timeout, hostFunctionError),
        { } reason => new ExecutionCanceledException(reason, hostFunctionError),
        null => throw new InvalidOperationException("Nothing has asked the operation to end."),
    };

    /// <summary>The virtual machine is about to be disposed.</summary>
    public void Detach() => _machine = null;

    /// <summary>Called on the timer's thread.</summary>
    private void Expire(ulong operation)
    {
        InterruptedOperation interrupted = _gate.Request(CancellationReason.Timeout, operation);
        if (interrupted.IsNone)
        {
            return;
        }

        End(operation);
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
            _timer.Arm(_retry, RetryDelay, operation);
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
        _timer.Disarm(_deadline);
        _timer.Disarm(_retry);
        Volatile.Write(ref _hostFunctions, null);
        Volatile.Write(ref _waiter, null);
        _cancellationToken = default;
    }

    /// <summary>An operation that a token and a time limit can end.</summary>
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

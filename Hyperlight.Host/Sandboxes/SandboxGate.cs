namespace Hyperlight.Host.Sandboxes;

/// <summary>
/// The state of a sandbox, in one word: whether an operation is in progress, whether the guest is running, whether and why it
/// is to end, and whether the sandbox was disposed.
/// </summary>
/// <remarks>
/// Every transition is one compare-and-exchange of the whole word, so that no two of them can be observed half done: an
/// operation that begins forgets earlier requests at the same moment at which it becomes visible to later ones. Operations
/// are numbered. A request that was meant for one of them never ends the next, however late it arrives.
/// </remarks>
internal sealed class SandboxGate
{
    private const ulong Busy = 1 << 0;
    private const ulong InGuest = 1 << 1;
    private const ulong Disposed = 1 << 2;
    private const int ReasonShift = 3;
    private const ulong ReasonMask = 7 << ReasonShift;
    private const int NumberShift = 8;

    private ulong _state;

    /// <summary>Whether the sandbox was disposed, or will be when the operation in progress ends.</summary>
    public bool IsClosed => (Volatile.Read(ref _state) & Disposed) != 0;

    /// <summary>The number of the operation in progress, or of the last one.</summary>
    public ulong Operation => NumberOf(Volatile.Read(ref _state));

    /// <summary>Whether an operation is in progress.</summary>
    public bool IsInProgress(ulong operation)
    {
        ulong state = Volatile.Read(ref _state);
        return NumberOf(state) == operation && (state & Busy) != 0;
    }

    /// <summary>Why the operation in progress is to end, or <see langword="null"/> if it is not.</summary>
    public CancellationReason? RequestedReason => ReasonOf(Volatile.Read(ref _state));

    /// <summary>Begins an operation, or says why not. Requests from here on are meant for it.</summary>
    /// <exception cref="SandboxInUseException">Another one is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public void Enter(string operation, object sandbox)
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            ObjectDisposedException.ThrowIf((state & Disposed) != 0, sandbox);
            if ((state & Busy) != 0)
            {
                throw new SandboxInUseException(operation);
            }

            if (TryChange(state, ((NumberOf(state) + 1) << NumberShift) | Busy))
            {
                return;
            }
        }
    }

    /// <summary>Ends the operation in progress.</summary>
    /// <returns>Whether the sandbox was disposed meanwhile, so that the caller must release its resources now.</returns>
    public bool Leave()
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            if (TryChange(state, state & ~(Busy | InGuest | ReasonMask)))
            {
                return (state & Disposed) != 0;
            }
        }
    }

    /// <summary>Enters the guest, unless the operation is to end.</summary>
    public bool TryEnterGuest()
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            if ((state & ReasonMask) != 0)
            {
                return false;
            }

            if (TryChange(state, state | InGuest))
            {
                return true;
            }
        }
    }

    /// <summary>Leaves the guest.</summary>
    public void LeaveGuest() => Interlocked.And(ref _state, ~InGuest);

    /// <summary>Asks the operation in progress to end. The first reason stays.</summary>
    public InterruptedOperation Request(CancellationReason reason)
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            if ((state & Busy) == 0 || TryChange(state, WithReason(state, reason)))
            {
                return Describe(state);
            }
        }
    }

    /// <summary>Asks one operation to end, if it is still in progress. The first reason stays.</summary>
    public InterruptedOperation Request(CancellationReason reason, ulong operation)
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            if (NumberOf(state) != operation)
            {
                return default;
            }

            if ((state & Busy) == 0 || TryChange(state, WithReason(state, reason)))
            {
                return Describe(state);
            }
        }
    }

    /// <summary>Lets no further operation begin and asks the one in progress to end, which will then release the resources.</summary>
    /// <param name="interrupted">The operation in progress.</param>
    /// <returns>Whether the caller must release the resources now.</returns>
    public bool Close(out InterruptedOperation interrupted)
    {
        while (true)
        {
            ulong state = Volatile.Read(ref _state);
            if ((state & Disposed) != 0)
            {
                interrupted = default;
                return false;
            }

            bool isBusy = (state & Busy) != 0;
            ulong closed = (isBusy ? WithReason(state, CancellationReason.Disposal) : state) | Disposed;
            if (TryChange(state, closed))
            {
                interrupted = Describe(state);
                return !isBusy;
            }
        }
    }

    private bool TryChange(ulong state, ulong next) => Interlocked.CompareExchange(ref _state, next, state) == state;

    private static ulong NumberOf(ulong state) => state >> NumberShift;

    private static InterruptedOperation Describe(ulong state) =>
        (state & Busy) == 0 ? default : new InterruptedOperation(NumberOf(state), (state & InGuest) != 0);

    // Zero stands for no request.
    private static CancellationReason? ReasonOf(ulong state) =>
        (state & ReasonMask) == 0 ? null : (CancellationReason)(((state & ReasonMask) >> ReasonShift) - 1);

    private static ulong WithReason(ulong state, CancellationReason reason) =>
        (state & ReasonMask) != 0 ? state : state | (((ulong)reason + 1) << ReasonShift);
}

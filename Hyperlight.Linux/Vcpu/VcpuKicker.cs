namespace Hyperlight.Linux;

/// <summary>
/// Lets any thread end a vCPU's stay in its guest. The vCPU's thread brackets each stay by <see cref="TryEnter"/> and
/// <see cref="Leave"/>; <see cref="Cancel"/> records a request and, if the vCPU is inside, sends the kick signal. If the
/// signal cannot be sent, the vCPU is forced out.
/// </summary>
/// <remarks>
/// The signal reaches only a thread that blocks it: its default action might end the process, and thread numbers are used
/// again. Hence a signal is sent only in phase <see cref="Phase.Sending"/>, which a sender enters from
/// <see cref="Phase.Running"/> and which <see cref="Leave"/> waits out; and a signal sent is taken back before the phase is
/// <see cref="Phase.Idle"/> again, so that none is left for whatever the thread does next. State and thread number share one
/// word: entering and leaving cost one interlocked operation each.
/// </remarks>
/// <param name="kernel">The kernel that sends signals.</param>
/// <param name="signal">The signal.</param>
/// <param name="forcedExit">What is done where no signal can be sent, or none has an effect.</param>
/// <param name="signalMayBeMissed">
/// Whether the signal is not blocked but handled, so that one which arrives before the vCPU is inside has no effect: it is
/// sent again until the vCPU has left. Nothing is left pending then.
/// </param>
internal sealed class VcpuKicker(ILinuxKernel kernel, KickSignal signal, IForcedExit forcedExit, bool signalMayBeMissed = false)
{
    private const int PhaseBits = 3;
    private const long PhaseMask = (1 << PhaseBits) - 1;

    /// <summary>
    /// How many signals in a row may be missed, one each millisecond, before the vCPU is forced out: its thread may block the signal.
    /// </summary>
    private const int MostMissed = 200;

    // What was requested.
    private const int Nothing = 0;

    /// <summary>An exit after which the guest goes on: it cannot be forced out.</summary>
    private const int Exit = 1;
    private const int Cancellation = 2;

    private long _state;

    /// <summary>How many signals were sent to the vCPU in its current stay.</summary>
    private int _sent;
    private int _request;

    private enum Phase
    {
        /// <summary>Nobody is in the guest.</summary>
        Idle,

        /// <summary>A thread is in the guest, or on its way in or out.</summary>
        Running,

        /// <summary>As Running, and another thread is about to send it the signal.</summary>
        Sending,

        /// <summary>As Running, and the signal was sent.</summary>
        Sent,

        /// <summary>As Running, and the vCPU was forced out.</summary>
        Forced,

        /// <summary>The vCPU is gone.</summary>
        Closed,
    }

    /// <summary>
    /// Called by the vCPU's thread before it enters the guest. When cancellation was requested, takes the request and
    /// returns false: the guest must not be entered, and <see cref="Leave"/> not called.
    /// </summary>
    /// <param name="threadId">The calling thread, which blocks the kick signal.</param>
    /// <param name="isAgain">Whether a run goes on that has left the guest: if the vCPU is gone since, the run was cancelled.</param>
    /// <exception cref="InvalidOperationException">Another thread is in the guest.</exception>
    /// <exception cref="ObjectDisposedException">The vCPU is gone, and no run goes on.</exception>
    /// <exception cref="HypervisorException">What forced the vCPU out of an earlier stay cannot be undone.</exception>
    public bool TryEnter(int threadId, bool isAgain = false)
    {
        if (forcedExit.IsInEffect)
        {
            UndoForcedExit();
        }

        long previous = Interlocked.CompareExchange(ref _state, Pack(Phase.Running, threadId), Pack(Phase.Idle));
        if (previous != Pack(Phase.Idle))
        {
            if (isAgain && PhaseOf(previous) == Phase.Closed)
            {
                return false;
            }

            ThrowCannotEnter(previous);
        }

        // The interlocked operation above orders this read after the phase became visible; Cancel writes the request
        // before it looks at the phase. So one of the two threads sees the other.
        if (!IsCancelRequested)
        {
            Volatile.Write(ref _sent, 0);
            return true;
        }

        Leave();
        Volatile.Write(ref _request, Nothing);
        return false;
    }

    /// <summary>
    /// Called by the vCPU's thread once it is out of the guest, before <see cref="Leave"/>: whether it was forced out, so
    /// that what it reports means nothing.
    /// </summary>
    public bool WasForced()
    {
        SpinWait wait = default;
        while (PhaseOf(Volatile.Read(ref _state)) == Phase.Sending)
        {
            wait.SpinOnce();
        }

        return forcedExit.IsInEffect;
    }

    /// <summary>Called by the vCPU's thread after it left the guest, for whatever reason.</summary>
    /// <exception cref="HypervisorException">What forced the vCPU out cannot be undone.</exception>
    public void Leave()
    {
        SpinWait wait = default;
        while (true)
        {
            long state = Volatile.Read(ref _state);
            switch (PhaseOf(state))
            {
                case Phase.Running when Interlocked.CompareExchange(ref _state, Pack(Phase.Idle), state) == state:
                    return;
                case Phase.Sent:
                    DrainSignal();
                    Volatile.Write(ref _state, Pack(Phase.Idle));
                    return;
                case Phase.Forced:
                    try
                    {
                        forcedExit.Undo();
                    }
                    finally
                    {
                        Volatile.Write(ref _state, Pack(Phase.Idle));
                    }

                    return;
                default:
                    wait.SpinOnce();
                    break;
            }
        }
    }

    /// <summary>Whether a request waits for <see cref="TryEnter"/> to take it.</summary>
    public bool IsCancelRequested => Volatile.Read(ref _request) != Nothing;

    /// <summary>
    /// Takes a kick signal that is pending in the calling thread although this process did not send one. Left pending, it would
    /// end every stay in a guest at once.
    /// </summary>
    public void DrainSignal()
    {
        while (kernel.TakePendingSignal(signal.Set) == -Errno.EINTR)
        {
        }
    }

    /// <summary>What repeats a request that the kernel refuses. Tests replace it.</summary>
    internal KickRetries Retries { get; init; } = KickRetries.Shared;

    /// <summary>
    /// Requests cancellation: the current stay in the guest ends, or the next one does not begin. Never throws: what the
    /// kernel refuses now is repeated until it takes.
    /// </summary>
    public void Cancel()
    {
        // A full fence: the request is visible before the phase is looked at.
        Interlocked.Exchange(ref _request, Cancellation);
        KickUntilItLeaves();
    }

    /// <summary>
    /// Does what <see cref="Cancel"/> does for a guest that is to go on: the vCPU is not forced out. Where no signal can be sent,
    /// the request waits for the end of the stay.
    /// </summary>
    public void RequestExit()
    {
        Interlocked.CompareExchange(ref _request, Exit, Nothing);
        KickUntilItLeaves();
    }

    /// <summary>Makes the vCPU leave, if it is inside and was not made to leave already.</summary>
    /// <returns>Whether it leaves, or is not inside. If not, this has to be tried again.</returns>
    public bool TryKick()
    {
        while (true)
        {
            long state = Volatile.Read(ref _state);
            if (PhaseOf(state) != Phase.Running || !IsCancelRequested)
            {
                return true;
            }

            int threadId = ThreadOf(state);
            if (Interlocked.CompareExchange(ref _state, Pack(Phase.Sending, threadId), state) == state)
            {
                Phase reached = Kick(threadId);
                Volatile.Write(ref _state, Pack(reached, threadId));
                return reached != Phase.Running;
            }
        }
    }

    /// <summary>Cancels a stay in the guest, waits for its end, and lets none begin again.</summary>
    /// <returns>False if this was called before.</returns>
    public bool Close()
    {
        SpinWait wait = default;
        while (true)
        {
            long previous = Interlocked.CompareExchange(ref _state, Pack(Phase.Closed), Pack(Phase.Idle));
            switch (PhaseOf(previous))
            {
                case Phase.Idle:
                    return true;
                case Phase.Closed:
                    return false;
                default:
                    Cancel();
                    wait.SpinOnce();
                    break;
            }
        }
    }

    private void KickUntilItLeaves()
    {
        if (!TryKick())
        {
            Retries.Add(this);
        }
    }

    /// <summary>Undoes what could not be undone at the end of an earlier stay, unless a thread is in the guest.</summary>
    private void UndoForcedExit()
    {
        // Sending keeps others away, also those who cancel: their request is seen before the guest is entered.
        if (Interlocked.CompareExchange(ref _state, Pack(Phase.Sending), Pack(Phase.Idle)) == Pack(Phase.Idle))
        {
            try
            {
                forcedExit.Undo();
            }
            finally
            {
                Volatile.Write(ref _state, Pack(Phase.Idle));
            }
        }
    }

    private Phase Kick(int threadId)
    {
        if (kernel.SendSignal(threadId, signal.Number) >= 0)
        {
            if (!signalMayBeMissed)
            {
                return Phase.Sent;
            }

            if (Interlocked.Increment(ref _sent) < MostMissed)
            {
                return Phase.Running;
            }
        }

        // The thread blocks the signal. Or it cannot be sent: a real-time signal while the user's queue is full, or a filter
        // of system calls.
        return Volatile.Read(ref _request) == Cancellation && forcedExit.TryForce() ? Phase.Forced : Phase.Running;
    }

    private static long Pack(Phase phase, int threadId = 0) => ((long)threadId << PhaseBits) | (long)phase;

    private static Phase PhaseOf(long state) => (Phase)(state & PhaseMask);

    private static int ThreadOf(long state) => (int)(state >> PhaseBits);

    private static void ThrowCannotEnter(long state)
    {
        ObjectDisposedException.ThrowIf(PhaseOf(state) == Phase.Closed, typeof(VcpuKicker));
        throw new InvalidOperationException("The vCPU is running on another thread.");
    }
}

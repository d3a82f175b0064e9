namespace Hyperlight.Linux;

/// <summary>
/// Lets any thread end a vCPU's stay in its guest. The vCPU's thread brackets each stay by <see cref="TryEnter"/> and
/// <see cref="Leave"/>; <see cref="Cancel"/> records a request and, if the vCPU is inside, sends the kick signal.
/// </summary>
/// <remarks>
/// The signal's default action ends the process, so it may only reach a thread that blocks it, and thread numbers are used
/// again. Hence a signal is sent only in phase <see cref="Phase.Sending"/>, which a sender enters from
/// <see cref="Phase.Running"/> and which <see cref="Leave"/> waits out; and a signal sent is taken back before the phase is
/// <see cref="Phase.Idle"/> again, so that none is left for whatever the thread does next. State and thread number share one
/// word: entering and leaving cost one interlocked operation each.
/// </remarks>
internal sealed class VcpuKicker(ILinuxKernel kernel, string driver)
{
    private const int PhaseBits = 3;
    private const long PhaseMask = (1 << PhaseBits) - 1;

    /// <summary>How long a full signal queue is waited for, in milliseconds.</summary>
    private const int QueuePatience = 1000;

    private long _state;
    private int _cancelRequested;

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

        /// <summary>The vCPU is gone.</summary>
        Closed,
    }

    /// <summary>
    /// Called by the vCPU's thread before it enters the guest. When cancellation was requested, takes the request and
    /// returns false: the guest must not be entered, and <see cref="Leave"/> not called.
    /// </summary>
    /// <param name="threadId">The calling thread, which blocks the kick signal.</param>
    /// <exception cref="InvalidOperationException">Another thread is in the guest.</exception>
    /// <exception cref="ObjectDisposedException">The vCPU is gone.</exception>
    public bool TryEnter(int threadId)
    {
        long previous = Interlocked.CompareExchange(ref _state, Pack(Phase.Running, threadId), Pack(Phase.Idle));
        if (previous != Pack(Phase.Idle))
        {
            ThrowCannotEnter(previous);
        }

        // The interlocked operation above orders this read after the phase became visible; Cancel writes the request
        // before it looks at the phase. So one of the two threads sees the other.
        if (Volatile.Read(ref _cancelRequested) == 0)
        {
            return true;
        }

        Leave();
        Volatile.Write(ref _cancelRequested, 0);
        return false;
    }

    /// <summary>Called by the vCPU's thread after it left the guest, for whatever reason.</summary>
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
                default:
                    wait.SpinOnce();
                    break;
            }
        }
    }

    /// <summary>Whether a request waits for <see cref="TryEnter"/> to take it.</summary>
    public bool IsCancelRequested => Volatile.Read(ref _cancelRequested) != 0;

    /// <summary>
    /// Takes a kick signal that is pending in the calling thread although nobody sent one from here. Left pending, it would
    /// end every stay in a guest at once.
    /// </summary>
    public void DrainSignal()
    {
        while (kernel.TakePendingSignal(KickSignal.Set) == -Errno.EINTR)
        {
        }
    }

    /// <summary>Requests cancellation: the current stay in the guest ends, or the next one does not begin.</summary>
    /// <exception cref="HypervisorException">The signal cannot be sent; the request stands.</exception>
    public void Cancel()
    {
        // A full fence: the request is visible before the phase is looked at.
        Interlocked.Exchange(ref _cancelRequested, 1);
        for (int attempt = 0; ; attempt++)
        {
            long state = Volatile.Read(ref _state);
            if (PhaseOf(state) != Phase.Running)
            {
                return;
            }

            int threadId = ThreadOf(state);
            if (Interlocked.CompareExchange(ref _state, Pack(Phase.Sending, threadId), state) != state)
            {
                continue;
            }

            int result = kernel.SendSignal(threadId, KickSignal.Number);
            Volatile.Write(ref _state, Pack(result >= 0 ? Phase.Sent : Phase.Running, threadId));
            if (result >= 0)
            {
                return;
            }

            // The user's queue of real-time signals is full: others take theirs sooner or later.
            if (result != -Errno.EAGAIN || attempt >= QueuePatience)
            {
                throw Errno.ToException(driver, "tgkill", -result);
            }

            Thread.Sleep(1);
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

    private static long Pack(Phase phase, int threadId = 0) => ((long)threadId << PhaseBits) | (long)phase;

    private static Phase PhaseOf(long state) => (Phase)(state & PhaseMask);

    private static int ThreadOf(long state) => (int)(state >> PhaseBits);

    private static void ThrowCannotEnter(long state)
    {
        ObjectDisposedException.ThrowIf(PhaseOf(state) == Phase.Closed, typeof(VcpuKicker));
        throw new InvalidOperationException("The vCPU is running on another thread.");
    }
}

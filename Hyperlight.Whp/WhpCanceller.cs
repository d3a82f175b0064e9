namespace Hyperlight.Whp;

/// <summary>
/// Lets any thread end a processor's stay in its guest. The thread that runs it brackets each stay by <see cref="TryEnter"/>
/// and <see cref="Leave"/>; <see cref="Cancel"/> records a request and, if the processor is inside, asks the platform to
/// cancel the run. The platform remembers such a request for the next run if the processor has just left: a run that is
/// cancelled without a request of ours has to be repeated.
/// </summary>
/// <param name="partition">The partition.</param>
internal sealed class WhpCanceller(WhpPartition partition)
{
    private const int Running = 1;
    private const int CancelRequested = 2;
    private const int Closed = 4;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(1);

    private int _state;

    /// <summary>
    /// Called before the guest is entered. When cancellation was requested, takes the request and returns false: the guest
    /// must not be entered, and <see cref="Leave"/> not called.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread is in the guest.</exception>
    /// <exception cref="ObjectDisposedException">The processor is gone.</exception>
    public bool TryEnter()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            ObjectDisposedException.ThrowIf((state & Closed) != 0, typeof(WhpVirtualMachine));
            if ((state & Running) != 0)
            {
                throw new InvalidOperationException("The vCPU is running on another thread.");
            }

            bool enters = (state & CancelRequested) == 0;
            if (Interlocked.CompareExchange(ref _state, enters ? Running : 0, state) == state)
            {
                return enters;
            }
        }
    }

    /// <summary>Called after the guest was left, for whatever reason.</summary>
    public void Leave() => Interlocked.And(ref _state, ~Running);

    /// <summary>Whether a request waits for <see cref="TryEnter"/> to take it.</summary>
    public bool IsCancelRequested => (Volatile.Read(ref _state) & CancelRequested) != 0;

    /// <summary>
    /// Requests cancellation: the current stay in the guest ends, or the next one does not begin. Never throws: what the
    /// platform refuses now is repeated until it takes.
    /// </summary>
    public void Cancel()
    {
        // One call for each request: a second one would be left for a later run.
        int before = Interlocked.Or(ref _state, CancelRequested);
        if (before == Running && !partition.TryCancelRun())
        {
            _ = RetryAsync();
        }
    }

    /// <summary>Cancels a stay in the guest, waits for its end, and lets none begin again.</summary>
    /// <returns>False if this was called before.</returns>
    public bool Close()
    {
        SpinWait wait = default;
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & Closed) != 0)
            {
                return false;
            }

            if ((state & Running) == 0)
            {
                if (Interlocked.CompareExchange(ref _state, Closed, state) == state)
                {
                    return true;
                }
            }
            else
            {
                Cancel();
                wait.SpinOnce();
            }
        }
    }

    private async Task RetryAsync()
    {
        do
        {
            await Task.Delay(RetryDelay).ConfigureAwait(false);
        }
        while (Volatile.Read(ref _state) == (Running | CancelRequested) && !partition.TryCancelRun());
    }
}

using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>Blocked and pending signals of each managed thread.</summary>
internal sealed partial class FakeKvmKernel
{
    private readonly Dictionary<int, ulong> _blocked = [];
    private readonly Dictionary<int, Queue<int>> _pending = [];

    /// <summary>Called instead of sending a signal, with the thread and the signal; a non-zero answer is the result.</summary>
    public Func<int, int, int>? OnSendSignal { get; set; }

    /// <summary>How many signals are pending in all threads.</summary>
    public int PendingSignals
    {
        get
        {
            lock (_lock)
            {
                return _pending.Values.Sum(static queue => queue.Count);
            }
        }
    }

    public int GetThreadId() => Environment.CurrentManagedThreadId;

    /// <summary>Whether a signal waits for the calling thread, as KVM_RUN asks before it enters the guest.</summary>
    public bool HasPendingSignal()
    {
        lock (_lock)
        {
            return _pending.TryGetValue(Environment.CurrentManagedThreadId, out Queue<int>? queue) && queue.Count > 0;
        }
    }

    public int BlockSignals(ulong signals, out ulong previous)
    {
        lock (_lock)
        {
            Journal.Add("rt_sigprocmask");
            previous = _blocked.GetValueOrDefault(Environment.CurrentManagedThreadId);
            _blocked[Environment.CurrentManagedThreadId] = previous | signals;
            return 0;
        }
    }

    public int SetBlockedSignals(ulong signals)
    {
        lock (_lock)
        {
            Journal.Add("rt_sigprocmask");
            _blocked[Environment.CurrentManagedThreadId] = signals;
            if (_pending.TryGetValue(Environment.CurrentManagedThreadId, out Queue<int>? pending)
                && pending.Any(signal => (signals & (1UL << (signal - 1))) == 0))
            {
                Violations.Add("a signal was pending when it was unblocked");
            }

            return 0;
        }
    }

    /// <summary>What the calling thread blocks.</summary>
    public ulong BlockedSignals
    {
        get
        {
            lock (_lock)
            {
                return _blocked.GetValueOrDefault(Environment.CurrentManagedThreadId);
            }
        }
    }

    /// <summary>KVM needs no handler.</summary>
    public int CatchSignal(int signal) => -Errno.ENOSYS;

    public int SendSignal(int threadId, int signal)
    {
        if (OnSendSignal?.Invoke(threadId, signal) is { } answer and not 0)
        {
            return answer;
        }

        lock (_lock)
        {
            Journal.Add("tgkill");
            if ((_blocked.GetValueOrDefault(threadId) & (1UL << (signal - 1))) == 0)
            {
                Violations.Add($"signal {signal} to thread {threadId}, which does not block it");
            }

            if (!_pending.TryGetValue(threadId, out Queue<int>? queue))
            {
                _pending.Add(threadId, queue = new Queue<int>());
            }

            queue.Enqueue(signal);
            return 0;
        }
    }

    public int TakePendingSignal(ulong signals)
    {
        lock (_lock)
        {
            Journal.Add("rt_sigtimedwait");
            return _pending.TryGetValue(Environment.CurrentManagedThreadId, out Queue<int>? queue)
                && queue.TryDequeue(out int signal)
                    ? signal
                    : -Errno.EAGAIN;
        }
    }
}

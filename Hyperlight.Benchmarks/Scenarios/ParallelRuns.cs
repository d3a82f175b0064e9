namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Operations on several threads at once, each with a state of its own. The calling thread is one of them.</summary>
internal abstract class ParallelRuns : Scenario
{
    /// <summary>
    /// Operations of one run, over all threads: so many that a run takes tens of milliseconds, since the threads wait for each
    /// other at its start and its end, and a thread that sleeps takes up to 100 us to wake.
    /// </summary>
    public const int Operations = 10_000;

    private readonly int _threads;
    private readonly long[] _allocated;
    private readonly Thread[] _helpers;
    private readonly Barrier _barrier;
    private volatile bool _disposed;

    protected ParallelRuns(int threads)
    {
        _threads = threads;
        _allocated = new long[threads];
        _barrier = new Barrier(threads);
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Help(i)) { IsBackground = true })];
        Array.ForEach(_helpers, t => t.Start());
    }

    public override int OperationsPerRun => Operations;

    public override bool IsSequential => false;

    public override long AllocatedBytes => base.AllocatedBytes + _allocated.Sum();

    public override void Run()
    {
        _barrier.SignalAndWait();
        RunShare(0);
        _barrier.SignalAndWait();
    }

    public override void Dispose()
    {
        _disposed = true;
        _barrier.SignalAndWait();
        Array.ForEach(_helpers, t => t.Join());
        _barrier.Dispose();
    }

    /// <summary>One operation of a thread.</summary>
    protected abstract void RunOne(int thread);

    private void Help(int thread)
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_disposed)
            {
                return;
            }

            RunShare(thread);
            _allocated[thread] = GC.GetAllocatedBytesForCurrentThread();
            _barrier.SignalAndWait();
        }
    }

    private void RunShare(int thread)
    {
        for (int i = Operations / _threads; i > 0; i--)
        {
            RunOne(thread);
        }
    }
}

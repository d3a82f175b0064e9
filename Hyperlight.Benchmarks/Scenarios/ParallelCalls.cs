using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Calls on several threads at once, each with a sandbox of its own. The calling thread is one of them.</summary>
internal sealed class ParallelCalls : Scenario
{
    /// <summary>Calls of one run, over all threads: many, so that starting and joining the threads does not show.</summary>
    public const int CallsPerRun = 100;

    private readonly MultiUseSandbox[] _sandboxes;
    private readonly long[] _allocated;
    private readonly Thread[] _helpers;
    private readonly Barrier _barrier;
    private volatile bool _disposed;

    public ParallelCalls(BenchmarkDriver driver, int threads)
    {
        SandboxBuilder builder = TestGuest.Builder(driver);
        _sandboxes = [.. Enumerable.Range(0, threads).Select(_ => builder.Build())];
        _allocated = new long[threads];
        _barrier = new Barrier(threads);
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Help(i)) { IsBackground = true })];
        Array.ForEach(_helpers, t => t.Start());
    }

    public override int OperationsPerRun => CallsPerRun;

    public override bool IsSequential => false;

    public override long AllocatedBytes => base.AllocatedBytes + _allocated.Sum();

    public override void Run()
    {
        _barrier.SignalAndWait();
        Call(0);
        _barrier.SignalAndWait();
    }

    public override void Dispose()
    {
        _disposed = true;
        _barrier.SignalAndWait();
        Array.ForEach(_helpers, t => t.Join());
        Array.ForEach(_sandboxes, s => s.Dispose());
        _barrier.Dispose();
    }

    private void Help(int index)
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_disposed)
            {
                return;
            }

            Call(index);
            _allocated[index] = GC.GetAllocatedBytesForCurrentThread();
            _barrier.SignalAndWait();
        }
    }

    private void Call(int index)
    {
        MultiUseSandbox sandbox = _sandboxes[index];
        for (int i = CallsPerRun / _sandboxes.Length; i > 0; i--)
        {
            _ = sandbox.Call<int>("Add", 1, 2);
        }
    }
}

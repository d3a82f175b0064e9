using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// From the cancellation of a guest that spins on another thread to the moment when that thread has the exception. Each run
/// needs a new sandbox, because a cancelled one is poisoned.
/// </summary>
internal sealed class CancelSpinningGuest : Scenario
{
    /// <summary>Enough for the thread to get from the announcement of its call into the guest.</summary>
    private static readonly TimeSpan EntryTime = TimeSpan.FromMilliseconds(2);

    private readonly SandboxBuilder _builder;
    private readonly SemaphoreSlim _start = new(0);
    private readonly SemaphoreSlim _entering = new(0);
    private readonly Thread _thread;
    private MultiUseSandbox? _sandbox;
    private long _allocatedByThread;
    private volatile bool _ended;

    public CancelSpinningGuest(BenchmarkDriver driver)
    {
        _builder = TestGuest.Builder(driver);
        _thread = new Thread(Spin) { IsBackground = true };
        _thread.Start();
    }

    public override bool IsSequential => false;

    public override long AllocatedBytes => base.AllocatedBytes + Volatile.Read(ref _allocatedByThread);

    public override void BeforeRun()
    {
        _sandbox?.Dispose();
        _sandbox = _builder.Build();
        _ended = false;
        _start.Release();
        _entering.Wait();
        Thread.Sleep(EntryTime);
    }

    public override void Run()
    {
        _sandbox!.InterruptHandle.Cancel();
        SpinWait wait = default;
        while (!_ended)
        {
            // Never sleeps, but lets others have the processor.
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    public override void Dispose()
    {
        _sandbox?.Dispose();
        _sandbox = null;
        _start.Release();
        _thread.Join();
        _start.Dispose();
        _entering.Dispose();
    }

    private void Spin()
    {
        while (true)
        {
            _start.Wait();
            if (_sandbox is not { } sandbox)
            {
                return;
            }

            Volatile.Write(ref _allocatedByThread, GC.GetAllocatedBytesForCurrentThread());
            _entering.Release();
            try
            {
                sandbox.Call("SpinForever");
            }
            catch (ExecutionCanceledException)
            {
                Volatile.Write(ref _allocatedByThread, GC.GetAllocatedBytesForCurrentThread());
                _ended = true;
            }
        }
    }
}

using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox is rented from a pool, called and returned, which restores it.</summary>
internal sealed class RentCallReturn : Scenario
{
    private readonly SandboxPool _pool;

    public RentCallReturn(BenchmarkDriver driver)
    {
        _pool = new SandboxPool(() => TestGuest.Builder(driver), new SandboxPoolOptions { MaximumSize = 1 });
        _pool.WarmUpAsync().GetAwaiter().GetResult();
    }

    /// <summary>A restore that takes long runs on the thread pool.</summary>
    public override void BeforeRun() => SpinWait.SpinUntil(() => _pool.Statistics.Idle == 1);

    public override void Run()
    {
        ValueTask<SandboxLease> rent = _pool.RentAsync();
        using SandboxLease lease = rent.IsCompletedSuccessfully ? rent.Result : throw new InvalidOperationException("No sandbox is idle.");
        _ = lease.Call<int>("Add", 1, 2);
    }

    public override void Dispose() => _pool.Dispose();
}

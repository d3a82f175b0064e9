using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox is called and restored, without a pool.</summary>
internal sealed class CallRestore : Scenario
{
    private readonly MultiUseSandbox _sandbox;
    private readonly Snapshot _snapshot;

    public CallRestore(BenchmarkDriver driver)
    {
        _sandbox = TestGuest.Builder(driver).Build();
        _snapshot = _sandbox.TakeSnapshot();
    }

    public override void Run()
    {
        _ = _sandbox.Call<int>("Add", 1, 2);
        _sandbox.Restore(_snapshot);
    }

    public override void Dispose()
    {
        _sandbox.Dispose();
        _snapshot.Dispose();
    }
}

using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox goes back to a snapshot after a call. The call is not a part of it.</summary>
internal sealed class RestoreSandbox : Scenario
{
    private readonly SnapshotGuest _guest;
    private readonly MultiUseSandbox _sandbox;
    private readonly Snapshot _snapshot;

    public RestoreSandbox(BenchmarkDriver driver, SnapshotGuest guest)
    {
        _guest = guest;
        _sandbox = guest.Build(driver);
        _snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(_snapshot);
    }

    public override void BeforeRun() => _guest.Touch(_sandbox);

    public override void Run() => _sandbox.Restore(_snapshot);

    public override void Dispose()
    {
        _sandbox.Dispose();
        _snapshot.Dispose();
    }
}

using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A snapshot is taken. It is given up again, and the sandbox called, outside of what is measured.</summary>
internal sealed class TakeSnapshot(BenchmarkDriver driver, SnapshotGuest guest) : Scenario
{
    private readonly MultiUseSandbox _sandbox = guest.Build(driver);
    private Snapshot? _snapshot;

    /// <summary>Without a call in between the sandbox would share the snapshot it has.</summary>
    public override void BeforeRun()
    {
        _snapshot?.Dispose();
        guest.Touch(_sandbox);
    }

    public override void Run() => _snapshot = _sandbox.TakeSnapshot();

    public override void Dispose()
    {
        _snapshot?.Dispose();
        _sandbox.Dispose();
    }
}

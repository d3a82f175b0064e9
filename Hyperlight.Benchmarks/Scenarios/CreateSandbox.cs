using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A sandbox is made ready for calls, and disposed without one.</summary>
internal sealed class CreateSandbox : Scenario
{
    private readonly SandboxBuilder _builder;
    private readonly Snapshot? _snapshot;

    private CreateSandbox(SandboxBuilder builder, Snapshot? snapshot)
    {
        _builder = builder;
        _snapshot = snapshot;
    }

    /// <summary>From a parsed ELF: the guest's initialisation runs.</summary>
    public static CreateSandbox FromElf(BenchmarkDriver driver) => new(TestGuest.Builder(driver), null);

    /// <summary>From a snapshot of a sandbox that was called once.</summary>
    public static CreateSandbox FromSnapshot(BenchmarkDriver driver)
    {
        Snapshot snapshot = TestGuest.TakeSnapshot(driver);
        return new CreateSandbox(TestGuest.Builder(driver).WithSnapshot(snapshot), snapshot);
    }

    public override void Run() => _builder.Build().Dispose();

    public override void Dispose() => _snapshot?.Dispose();
}

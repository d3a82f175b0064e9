namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The floor of <see cref="GuestWorkload"/>: the same machine code, called in this process.</summary>
internal sealed class NativeWorkload(Workload workload) : Scenario
{
    private readonly NativeFunction _function = new(BenchGuest.Binary, "WorkloadAddress");

    public override void Run() => _function.Call((ulong)workload, GuestWorkload.Rounds);

    public override void Dispose() => _function.Dispose();
}

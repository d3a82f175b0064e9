using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A computation inside the guest, long enough that the call around it does not count.</summary>
internal sealed class GuestWorkload : Scenario
{
    public const ulong Rounds = 2;

    private readonly Workload _workload;
    private readonly MultiUseSandbox _sandbox;

    public GuestWorkload(BenchmarkDriver driver, Workload workload)
    {
        _workload = workload;
        _sandbox = BenchGuest.Builder(driver).Build();
    }

    public override long? InstructionCount => _sandbox.InstructionCount;

    public override void Run() => _sandbox.Call<ulong>("RunWorkload", (ulong)_workload, Rounds);

    public override void Dispose() => _sandbox.Dispose();
}

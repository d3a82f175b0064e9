namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>
/// What several threads can do at once on this machine, with whatever else runs on it: native code on memory of each thread's own.
/// </summary>
internal sealed class ParallelNative : ParallelRuns
{
    private readonly NativeFunction[] _functions;

    public ParallelNative(int threads)
        : base(threads) =>
        _functions = [.. Enumerable.Range(0, threads).Select(_ => new NativeFunction(BenchGuest.Binary, "WorkloadAddress"))];

    public override void Dispose()
    {
        base.Dispose();
        Array.ForEach(_functions, f => f.Dispose());
    }

    protected override void RunOne(int thread) => _functions[thread].Call((ulong)Workload.StateMachine, 1);
}

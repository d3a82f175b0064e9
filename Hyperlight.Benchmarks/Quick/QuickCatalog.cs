using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>What the quick mode measures, in the order of its output.</summary>
internal static class QuickCatalog
{
    public static IReadOnlyList<IQuickBenchmark> All { get; } =
    [
        new TimedBenchmark("exit", d => new ExitRoundTrip(d), Floor.BareExit),
        new TimedBenchmark("call-empty", WarmCall.Empty, Floor.GuestTime),
        new TimedBenchmark("call-add", WarmCall.Add, Floor.GuestTime),
        .. new[] { 1, 10, 100 }.Select(HostCalls),
        new TimedBenchmark("create-call-dispose", d => new CreateCallDispose(d), Floor.BareCreate),
        .. PayloadSizes.Quick.Select(PayloadEcho),
        .. PayloadSizes.Quick.Select(PayloadOut),
        new TimedBenchmark("cancel", d => new CancelSpinningGuest(d)),
        .. new[] { 1, 2 }.Select(Parallel),
        .. Enum.GetValues<Workload>().Select(Compute),
        .. PrivateMemory.IsKnown ? new[] { 1, 10, 100 }.Select(n => new MemoryBenchmark(n)) : [],
    ];

    private static TimedBenchmark HostCalls(int count) =>
        new($"host-calls-{count}", d => WarmCall.WithHostCalls(d, count), Floor.GuestTime);

    private static TimedBenchmark PayloadEcho(int size) =>
        new($"payload-echo-{PayloadSizes.Name(size)}", d => PayloadCall.Echo(d, size), Floor.GuestTime);

    private static TimedBenchmark PayloadOut(int size) =>
        new($"payload-out-{PayloadSizes.Name(size)}", d => PayloadCall.Out(d, size), Floor.GuestTime);

    private static TimedBenchmark Compute(Workload workload) =>
        new($"compute-{workload}".ToLowerInvariant(), d => new GuestWorkload(d, workload), Floor.Native(workload));

    private static TimedBenchmark Parallel(int threads) => new($"parallel-{threads}", d => new ParallelCalls(d, threads));
}

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
        new TimedBenchmark("call-no-listener", WarmCall.Add, Floor.Uninstrumented),
        new TimedBenchmark("call-metrics", d => new MeteredCall(d), Floor.Uninstrumented),
        .. new[] { 1, 10, 100 }.Select(HostCalls),
        new TimedBenchmark("call-restore", static d => new CallRestore(d)),
        new TimedBenchmark("rent-return", static d => new RentReturn(d)),
        new TimedBenchmark("rent-call-return", static d => new RentCallReturn(d), Floor.CallRestore),
        new TimedBenchmark("create-call-dispose", d => new CreateCallDispose(d), Floor.BareCreate),
        new TimedBenchmark("create-from-elf", CreateSandbox.FromElf, Floor.BareCreate),
        new TimedBenchmark("create-from-snapshot", CreateSandbox.FromSnapshot, Floor.BareCreate),
        .. SnapshotGuest.Touches.Select(pages => Restore($"{pages}", new SnapshotGuest(pages))),
        .. SnapshotGuest.Sizes.Select(size => Restore(ByteSize.Name(size), new SnapshotGuest(0, size))),
        .. SnapshotGuest.Sizes.Select(Snapshot),
        .. Scenarios.MapFile.Sizes.Select(MapFile),
        .. PayloadSizes.Quick.Select(PayloadEcho),
        .. PayloadSizes.Quick.Select(PayloadOut),
        new TimedBenchmark("cancel", d => new CancelSpinningGuest(d)),
        .. new[] { 1, 2 }.Select(Parallel),
        .. Enum.GetValues<Workload>().Select(Compute),
        .. Enum.GetValues<GuestProgram>().Select(Program),
        .. Memory(fromSnapshot: false),
        .. Memory(fromSnapshot: true),
    ];

    /// <summary>A warm call of a program of the benchmark guest.</summary>
    public static TimedBenchmark Program(GuestProgram program) =>
        new($"program-{program}".ToLowerInvariant(), d => new ProgramCall(d, program), Floor.Native(program));

    private static TimedBenchmark HostCalls(int count) =>
        new($"host-calls-{count}", d => WarmCall.WithHostCalls(d, count), Floor.GuestTime);

    private static TimedBenchmark Restore(string name, SnapshotGuest guest) =>
        new($"restore-{name}", d => new RestoreSandbox(d, guest), Floor.Restore(guest));

    private static TimedBenchmark Snapshot(int size)
    {
        var guest = new SnapshotGuest(0, size);
        return new($"snapshot-{ByteSize.Name(size)}", d => new TakeSnapshot(d, guest), Floor.Copy(guest));
    }

    private static TimedBenchmark MapFile(long size) =>
        new($"map-file-{ByteSize.Name(size)}", d => new MapFile(d, size), Floor.MapFile(size));

    private static TimedBenchmark PayloadEcho(int size) =>
        new($"payload-echo-{ByteSize.Name(size)}", d => PayloadCall.Echo(d, size), Floor.GuestTime);

    private static TimedBenchmark PayloadOut(int size) =>
        new($"payload-out-{ByteSize.Name(size)}", d => PayloadCall.Out(d, size), Floor.GuestTime);

    private static TimedBenchmark Compute(Workload workload) =>
        new($"compute-{workload}".ToLowerInvariant(), d => new GuestWorkload(d, workload), Floor.Native(workload));

    private static TimedBenchmark Parallel(int threads) =>
        new($"parallel-{threads}", d => new ParallelCalls(d, threads), Floor.NativeThreads(threads));

    private static IEnumerable<MemoryBenchmark> Memory(bool fromSnapshot) =>
        PrivateMemory.IsKnown ? MemoryBenchmark.Counts.Select(n => new MemoryBenchmark(n, fromSnapshot)) : [];
}

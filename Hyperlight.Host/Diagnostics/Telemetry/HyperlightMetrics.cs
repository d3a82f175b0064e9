using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>
/// The library's metrics. Without a listener an instrument is a field that is compared. Exceptions of listeners reach whatever
/// records a value, as they do in .NET.
/// </summary>
internal sealed class HyperlightMetrics
{
    private static readonly ConditionalWeakTable<IMeterFactory, HyperlightMetrics> ByFactory = [];

    /// <summary>From a microsecond, the time of an exit, to ten seconds.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries =
        [
            0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02,
            0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
        ],
    };

    private HyperlightMetrics(Meter meter)
    {
        CallDuration = Duration(meter, "hyperlight.call.duration", "Duration of calls of guest functions, host functions included.");
        ActiveCalls = meter.CreateUpDownCounter<long>("hyperlight.call.active", "{call}", "Calls of guest functions in progress.");
        Cancellations = meter.CreateCounter<long>("hyperlight.call.cancellations", "{call}", "Calls and initialisations of guests that the host ended.");
        BudgetsExceeded = meter.CreateCounter<long>("hyperlight.call.budgets_exceeded", "{call}", "Calls and initialisations of guests that exceeded a budget.");
        GuestErrors = meter.CreateCounter<long>("hyperlight.guest.errors", "{error}", "Errors that guests returned, and aborts of guests.");
        DroppedLogRecords = meter.CreateCounter<long>("hyperlight.guest.log.dropped", "{record}", "Log records of guests that were dropped, because they wrote too many.");
        Exits = meter.CreateCounter<long>("hyperlight.vcpu.exits", "{exit}", "Exits of virtual CPUs.");
        LateCancellations = meter.CreateCounter<long>(
            "hyperlight.vcpu.late_cancellations", "{exit}", "Cancellations that a hypervisor reported after the end of the call; the guest was entered again.");
        HostCallDuration = Duration(meter, "hyperlight.host_call.duration", "Duration of calls of host functions.");
        CreateDuration = Duration(meter, "hyperlight.sandbox.create.duration", "Duration of creating a virtual machine and initialising its guest.");
        RestoreDuration = Duration(meter, "hyperlight.sandbox.restore.duration", "Duration of restoring snapshots.");
        SnapshotDuration = Duration(meter, "hyperlight.sandbox.snapshot.duration", "Duration of taking snapshots.");
        Poisonings = meter.CreateCounter<long>("hyperlight.sandbox.poisonings", "{sandbox}", "Sandboxes that were poisoned.");
        meter.CreateObservableUpDownCounter("hyperlight.sandbox.count", Sandboxes.Count, "{sandbox}", "Sandboxes that exist.");
        meter.CreateObservableUpDownCounter(
            "hyperlight.sandbox.memory", Sandboxes.Memory, "By", "Size of the memory of sandboxes. Scratch memory is reserved, and uses host memory where a guest has written.");
        meter.CreateObservableUpDownCounter("hyperlight.pool.sandbox.count", Pools.Sandboxes, "{sandbox}", "Sandboxes of a pool, by state.");
        meter.CreateObservableUpDownCounter("hyperlight.pool.sandbox.max", Pools.Maximum, "{sandbox}", "Largest number of sandboxes of a pool.");
        meter.CreateObservableUpDownCounter("hyperlight.pool.waiting", Pools.Waiting, "{caller}", "Callers that wait for a sandbox of a pool.");
        PoolRentDuration = Duration(meter, "hyperlight.pool.rent.duration", "How long callers waited for a sandbox of a pool.");
        PoolLeaseDuration = Duration(meter, "hyperlight.pool.lease.duration", "How long callers kept a sandbox of a pool.");
        PoolDiscards = meter.CreateCounter<long>("hyperlight.pool.discards", "{sandbox}", "Sandboxes of a pool that were disposed instead of being used again.");
        PoolCreationFailures = meter.CreateCounter<long>("hyperlight.pool.creation_failures", "{sandbox}", "Sandboxes of a pool that could not be created.");
        ProgramRunDuration = Duration(meter, "hyperlight.program.run.duration", "Duration of runs of Linux programs, without the wait for a runner.");
        ActiveProgramRuns = meter.CreateUpDownCounter<long>("hyperlight.program.run.active", "{run}", "Runs of Linux programs in progress.");
    }

    /// <summary>The metrics of sandboxes and pools that were given no <see cref="IMeterFactory"/>.</summary>
    public static HyperlightMetrics Default { get; } =
        new(new Meter(HyperlightTelemetry.MeterName, HyperlightTelemetry.Version));

    public Histogram<double> CallDuration { get; }

    public UpDownCounter<long> ActiveCalls { get; }

    public Counter<long> Cancellations { get; }

    public Counter<long> BudgetsExceeded { get; }

    public Counter<long> GuestErrors { get; }

    public Counter<long> DroppedLogRecords { get; }

    public Counter<long> Exits { get; }

    public Counter<long> LateCancellations { get; }

    public Histogram<double> HostCallDuration { get; }

    public Histogram<double> CreateDuration { get; }

    public Histogram<double> RestoreDuration { get; }

    public Histogram<double> SnapshotDuration { get; }

    public Counter<long> Poisonings { get; }

    public Histogram<double> PoolRentDuration { get; }

    public Histogram<double> PoolLeaseDuration { get; }

    public Counter<long> PoolDiscards { get; }

    public Counter<long> PoolCreationFailures { get; }

    public Histogram<double> ProgramRunDuration { get; }

    public UpDownCounter<long> ActiveProgramRuns { get; }

    /// <summary>The sandboxes that exist.</summary>
    public SandboxTotals Sandboxes { get; } = new();

    /// <summary>The pools that exist.</summary>
    public PoolTotals Pools { get; } = new();

    /// <summary>The names of pools.</summary>
    public TagValues PoolNames { get; } = new();

    /// <summary>The names of guest functions.</summary>
    public TagValues Functions { get; } = new();

    /// <summary>The names of host functions.</summary>
    public TagValues HostFunctions { get; } = new();

    /// <summary>The metrics of a factory, which are created once; the default ones without a factory.</summary>
    public static HyperlightMetrics Of(IMeterFactory? factory) => factory is null ? Default : ByFactory.GetValue(
        factory,
        static factory => new HyperlightMetrics(factory.Create(HyperlightTelemetry.MeterName, HyperlightTelemetry.Version)));

    private static Histogram<double> Duration(Meter meter, string name, string description) =>
        meter.CreateHistogram(name, "s", description, tags: null, Durations);
}

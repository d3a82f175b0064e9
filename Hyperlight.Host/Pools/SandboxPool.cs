using System.Diagnostics.Metrics;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Pools;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight;

/// <summary>
/// A pool of sandboxes that start from one snapshot, which is taken once, after the guest's initialisation. Thread-safe.
/// Applications with dependency injection use <c>AddHyperlight().AddSandbox(...)</c> instead of the constructor.
/// </summary>
/// <remarks>
/// A rent takes an idle sandbox, and its return makes that sandbox clean again: on the thread that returns it if the last
/// restore of that sandbox took less than 100 microseconds, because handing it to another thread would take about as long; on
/// the thread pool otherwise, so that the caller does not wait for it. Sandboxes are created and disposed on the thread pool.
/// The guest's initialisation runs on a thread of its own.
/// </remarks>
public sealed partial class SandboxPool : ISandboxPool
{
    private readonly Lock _lock = new();
    private readonly SandboxPoolOptions _options;
    private readonly ISandboxTemplate _template;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IIdleSandboxes _idle;
    private readonly LinkedList<RentWaiter> _waiters = [];

    /// <summary>All sandboxes, so that those that are rented can be found. It does not keep leases alive.</summary>
    private readonly HashSet<PooledSandbox> _sandboxes = new(ReferenceEqualityComparer.Instance);

    private PoolCounters _counters;
    private int _creating;
    private int _restoring;
    private int _retiring;
    private bool _isClosed;

    /// <summary>Creates a pool. Nothing is loaded until a sandbox is rented, or <see cref="WarmUpAsync"/> is called.</summary>
    /// <param name="createBuilder">
    /// Creates a builder with the guest or the snapshot, the host functions, the configuration and the files of the sandboxes. It
    /// is called once, and again by <see cref="ReloadAsync"/>. The builder must not be changed afterwards. Host functions are
    /// called by several sandboxes at the same time.
    /// </param>
    /// <param name="options">The options; <see langword="null"/> for the defaults.</param>
    /// <param name="name">The name of the pool, in errors and logs.</param>
    /// <param name="loggers">Where the pool logs; <see langword="null"/> for nowhere. Its category is <c>Hyperlight.Pool</c>.</param>
    /// <param name="timeProvider">The clock of all time limits; <see langword="null"/> for the system's.</param>
    /// <param name="meters">Creates the meter of the pool's metrics; <see langword="null"/> for a meter of the process. See <see cref="SandboxBuilder.WithMetrics(IMeterFactory)"/>.</param>
    /// <exception cref="ArgumentException">The name is empty, or two options contradict each other.</exception>
    public SandboxPool(
        Func<SandboxBuilder> createBuilder,
        SandboxPoolOptions? options = null,
        string name = "default",
        ILoggerFactory? loggers = null,
        TimeProvider? timeProvider = null,
        IMeterFactory? meters = null)
        : this(new BuilderTemplate(createBuilder, options?.Budget ?? CallBudget.Unlimited), options, name, loggers, timeProvider, HyperlightMetrics.Of(meters))
    {
    }

    internal SandboxPool(
        ISandboxTemplate template,
        SandboxPoolOptions? options,
        string name,
        ILoggerFactory? loggers,
        TimeProvider? timeProvider,
        HyperlightMetrics? metrics = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _options = options ?? new SandboxPoolOptions();
        _options.Check();
        Name = name;
        _template = template;
        _time = timeProvider ?? TimeProvider.System;
        _logger = GuardedLogger.Create(loggers ?? NullLoggerFactory.Instance, PoolLog.Category, new SinkFailures());
        _idle = _options.Isolation == SandboxIsolation.KeepStatePerKey ? new IdleSessions() : new IdleStack();
        _idleTimer = WithoutContext.Run(() => _time.CreateTimer(
            static state => ((SandboxPool)state!).ExpireIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _telemetry = new PoolTelemetry(metrics ?? HyperlightMetrics.Default, name);
        _telemetry.Metrics.Pools.Add(this, _telemetry.TagName);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Exception? LastFailure
    {
        get
        {
            lock (_lock)
            {
                return _lastFailure;
            }
        }
    }

    /// <inheritdoc/>
    public SandboxPoolStatistics Statistics
    {
        get
        {
            lock (_lock)
            {
                return _counters.ToStatistics() with
                {
                    Size = Size,
                    MaximumSize = _options.MaximumSize,
                    QueueLength = _options.QueueLength,
                    IsClosed = _isClosed,
                    Idle = _idle.Count,
                    Rented = Rented,
                    Creating = _creating,
                    Restoring = _restoring,
                    Retiring = _retiring,
                    Waiting = _waiters.Count,
                };
            }
        }
    }

    /// <summary>The sandboxes that exist and those that are being created.</summary>
    private int Size => _sandboxes.Count + _creating;

    /// <summary>The sandboxes that are rented.</summary>
    private int Rented => _sandboxes.Count - _idle.Count - _restoring - _retiring;
}

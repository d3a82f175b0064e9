using Hyperlight.Host.Budgets;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Sandboxes;
using Hyperlight.Host.Snapshots;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight;

/// <content>Sandboxes that start from a snapshot.</content>
public sealed partial class SandboxBuilder
{
    private static long _lastSandboxId;

    private Snapshot? _snapshot;

    /// <summary>
    /// Starts sandboxes from a snapshot instead of a guest. They have the state of the snapshot, and the guest's
    /// initialisation does not run. The snapshot's sizes and init data replace those of the configuration. The sandboxes
    /// share the snapshot's memory.
    /// </summary>
    /// <param name="snapshot">The snapshot. It must not be disposed before the sandboxes are built; afterwards it can be.</param>
    public SandboxBuilder WithSnapshot(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _snapshot = snapshot;
        _guest = null;
        return this;
    }

    /// <summary>Builds a sandbox that starts from a snapshot, whatever was chosen. Does not change the builder.</summary>
    internal MultiUseSandbox Build(Snapshot snapshot, CancellationToken cancellationToken)
    {
        CallLimits.ThrowIfCancelled(cancellationToken);
        return WithMappings(BuildFrom(snapshot));
    }

    private MultiUseSandbox BuildFrom(Snapshot snapshot)
    {
        HypervisorSelection hypervisor = _selectHypervisor();
        SnapshotContent content = snapshot.Acquire();
        SandboxSetup setup;
        try
        {
            setup = CreateSetup(hypervisor, content.Guest, content.Source);
            SnapshotCompatibility.CheckHypervisor(content, hypervisor.Name);
            SnapshotCompatibility.CheckFunctions(content, setup.Functions);
            SnapshotCompatibility.CheckMappings(content, []);
        }
        catch
        {
            content.Image.Release();
            throw;
        }

        Observation observation = setup.Telemetry.BeginCreate(isFromSnapshot: true);
        GuestMemory? memory = null;
        try
        {
            memory = GuestMemory.Create(hypervisor.Hypervisor, content.Image);
            MultiUseSandbox sandbox = Start(content, setup, memory);
            observation.Succeed();
            return sandbox;
        }
        catch (Exception exception)
        {
            memory?.Dispose();
            observation.Fail(exception);
            throw;
        }
    }

    private static MultiUseSandbox Start(SnapshotContent content, SandboxSetup setup, GuestMemory memory)
    {
        var ports = new PortHandler(memory, setup.Functions, setup.GuestLog, setup.DebugOutput, new FaultLocator(setup.Guest));
        GuestRunner runner = GuestRunner.Create(
            setup.Hypervisor.Hypervisor, memory, ports, setup.Configuration, setup.GuestLog.Level, setup.Logger, setup.Telemetry);
        try
        {
            runner.StartFrom(content.Processor);
            var sandbox = new MultiUseSandbox(setup, memory, runner);
            sandbox.StartFrom(content);
            SandboxLog.Ready(setup.Logger, sandbox.Id, setup.Source, setup.Hypervisor.Name, setup.Hypervisor.Reason);
            return sandbox;
        }
        catch
        {
            runner.Dispose();
            throw;
        }
    }

    private SandboxSetup CreateSetup(HypervisorSelection hypervisor, GuestBinary? guest, string source)
    {
        CallBudget budget = _configuration.Budget.Tighten(_budget);
        if (!hypervisor.Hypervisor.CountsInstructions)
        {
            InstructionLimit.Refuse(budget.Instructions, hypervisor.Name);
        }

        if (!hypervisor.Hypervisor.InjectsInterrupts)
        {
            GuestTimer.Refuse(hypervisor.Name, _configuration);
        }

        var failures = new SinkFailures();
        DriverReport.Write(_loggers, failures, hypervisor);
        long id = Interlocked.Increment(ref _lastSandboxId);
        SandboxScope? scope = _loggers is NullLoggerFactory ? null : new SandboxScope(id, source);
        ILogger logger = GuardedLogger.Create(_loggers, SandboxLog.Category, failures, scope);
        var telemetry = new SandboxTelemetry(_metrics, hypervisor.Name, id, source);
        var guestLog = new GuestLog(
            GuardedLogger.Create(_loggers, GuestLog.Category, failures, scope),
            _configuration.GuestLogLevel,
            new RecordLimit(_configuration.GuestLogRate, LogClock),
            telemetry);
        var output = new GuestOutput(_print, _debugPrint, guestLog);
        return new SandboxSetup(
            id,
            hypervisor,
            guest,
            source,
            SandboxConfiguration(budget),
            new HostFunctionTable(SandboxFunctions(output.PrintFunction), output.PrintFunction, telemetry),
            output,
            new DebugOutput(output.DebugPrint, failures, logger),
            failures,
            logger,
            guestLog,
            _threads,
            telemetry);
    }
    /// <summary>The configuration with what was set on the builder.</summary>
    private SandboxConfiguration SandboxConfiguration(CallBudget budget)
    {
        ulong? seed = _seed ?? _configuration.RandomSeed;
        return seed == _configuration.RandomSeed && budget == _configuration.Budget
            ? _configuration
            : _configuration with { RandomSeed = seed, Budget = budget };
    }

    /// <summary>What guests can call: all sandboxes share it, unless what each prints is logged as its own.</summary>
    private HostFunctionSet SandboxFunctions(HostFunction print) => ReferenceEquals(print, _print)
        ? _sandboxFunctions ??= _functions.WithDefault(print)
        : _functions.WithDefault(print);
}

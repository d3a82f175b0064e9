using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Protocol;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>Reports what one sandbox does, as metrics and activities. A sandbox has one operation at a time.</summary>
/// <param name="metrics">The metrics.</param>
/// <param name="driver">The name of the hypervisor.</param>
/// <param name="sandboxId">The sandbox's id.</param>
/// <param name="guest">What the guest was read from.</param>
internal sealed class SandboxTelemetry(HyperlightMetrics metrics, string driver, long sandboxId, string guest)
{
    /// <summary>
    /// How many calls of host functions of one call have an activity of their own. A guest can call a host function as often as
    /// it likes; all of them are counted.
    /// </summary>
    public const int MaximumHostCallActivities = 100;

    private readonly KeyValuePair<string, object?> _driver = new(Tags.Driver, driver);
    private int _hostCalls;

    /// <summary>Whether the guest was entered in the last call that has begun.</summary>
    private bool _hasEntered;

    public HyperlightMetrics Metrics => metrics;

    private bool IsCallObserved =>
        metrics.CallDuration.Enabled || metrics.ActiveCalls.Enabled || metrics.GuestErrors.Enabled || metrics.Cancellations.Enabled
        || metrics.BudgetsExceeded.Enabled || HyperlightActivities.IsEnabled;

    private bool IsHostCallObserved => metrics.HostCallDuration.Enabled || HyperlightActivities.IsEnabled;

    /// <summary>Counts the sandbox among those that exist.</summary>
    public CountedSandbox Count(GuestImage image) => new(metrics.Sandboxes, driver, image);

    /// <summary>A guest function is about to be called.</summary>
    public CallObservation BeginCall(string function) => IsCallObserved ? new CallObservation(this, function, _driver) : default;

    /// <summary>A sandbox is about to be created.</summary>
    /// <param name="isFromSnapshot">Whether it starts from a snapshot.</param>
    public Observation BeginCreate(bool isFromSnapshot) => Describe(Observation.Begin(
        metrics.CreateDuration,
        HyperlightActivities.Create,
        _driver,
        new KeyValuePair<string, object?>(Tags.SandboxOrigin, isFromSnapshot ? "snapshot" : "guest")));

    /// <summary>A snapshot is about to be restored.</summary>
    public Observation BeginRestore() => Describe(Observation.Begin(metrics.RestoreDuration, HyperlightActivities.Restore, _driver));

    /// <summary>A snapshot is about to be taken.</summary>
    public Observation BeginSnapshot() => Describe(Observation.Begin(metrics.SnapshotDuration, HyperlightActivities.Snapshot, _driver));

    /// <summary>A host function is about to be called.</summary>
    /// <param name="function">The function that the application registered; <see langword="null"/> for one that it has not.</param>
    public Observation BeginHostCall(HostFunction? function) => IsHostCallObserved ? ObserveHostCall(function) : default;

    /// <summary>The vCPU has stopped.</summary>
    public void RecordExit(in VmExit exit)
    {
        _hasEntered = true;
        if (metrics.Exits.Enabled)
        {
            metrics.Exits.Add(1, _driver, new KeyValuePair<string, object?>(Tags.ExitKind, ExitKind(exit)));
        }
    }

    /// <summary>The vCPU has stopped for a cancellation that was meant for an earlier call.</summary>
    public void RecordLateCancellation() => metrics.LateCancellations.Add(1, _driver);

    /// <summary>A log record of the guest was dropped, because it has written too many.</summary>
    public void RecordDroppedLogRecord() => metrics.DroppedLogRecords.Add(1, _driver);

    /// <summary>The sandbox was poisoned.</summary>
    public void RecordPoisoning(Exception cause)
    {
        if (metrics.Poisonings.Enabled)
        {
            metrics.Poisonings.Add(1, _driver, new KeyValuePair<string, object?>(Tags.Outcome, Outcome.Of(cause)));
        }
    }

    /// <summary>What an exception says about the guest: an error, an abort, a cancellation, a budget.</summary>
    public void RecordFailure(Exception exception)
    {
        switch (exception)
        {
            case GuestInitializationException { InnerException: { } cause }:
                RecordFailure(cause);
                break;
            case GuestErrorException error:
                RecordGuestError("error", error.Code);
                break;
            case GuestAbortedException abort:
                RecordGuestError("abort", GuestErrorException.Classify(abort.Code));
                break;
            case ExecutionCanceledException canceled:
                metrics.Cancellations.Add(1, _driver, new KeyValuePair<string, object?>(Tags.CancellationReason, ReasonOf(canceled)));
                if (canceled is BudgetExceededException exceeded)
                {
                    metrics.BudgetsExceeded.Add(1, _driver, new KeyValuePair<string, object?>(Tags.Budget, NameOf(exceeded.Budget)));
                }

                break;
        }
    }

    /// <summary>Adds to an activity which sandbox it is about.</summary>
    public void Describe(Activity? activity)
    {
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(Tags.SandboxId, sandboxId);
            activity.SetTag(Tags.Guest, GuestText.Escape(guest));
        }
    }

    /// <summary>A call begins: nothing is known of earlier ones.</summary>
    public void ForgetCalls()
    {
        _hostCalls = 0;
        _hasEntered = false;
    }

    /// <summary>
    /// The name of a function as the value of a tag, after a call has failed. Only a name with which the guest was entered, and that
    /// it did not refuse, takes a place. Callers cannot fill the places with names: not by calls that are refused or too large, nor
    /// by calls that they end.
    /// </summary>
    public string NameAfterFailure(string function, string outcome, Exception exception) =>
        _hasEntered && outcome is not (Outcome.Rejected or Outcome.Canceled)
            && exception is not GuestErrorException { Code: GuestErrorCode.GuestFunctionNotFound }
            ? metrics.Functions.Add(function)
            : metrics.Functions.Find(function);

    private Observation Describe(Observation observation)
    {
        Describe(observation.Activity);
        return observation;
    }

    private Observation ObserveHostCall(HostFunction? function)
    {
        _hostCalls++;
        if (Activity.Current is { OperationName: HyperlightActivities.Call, IsAllDataRequested: true } call)
        {
            call.SetTag(Tags.HostCalls, _hostCalls);
        }

        string name = function is null ? Tags.Other : metrics.HostFunctions.Add(function.Name);
        return Observation.Begin(
            metrics.HostCallDuration,
            _hostCalls <= MaximumHostCallActivities ? HyperlightActivities.HostCall : null,
            new KeyValuePair<string, object?>(Tags.HostFunction, name),
            _driver);
    }

    private void RecordGuestError(string kind, GuestErrorCode code)
    {
        if (metrics.GuestErrors.Enabled)
        {
            metrics.GuestErrors.Add(
                1,
                _driver,
                new KeyValuePair<string, object?>(Tags.GuestErrorKind, kind),
                new KeyValuePair<string, object?>(Tags.GuestErrorCode, code.ToString()));
        }
    }

    private static string ReasonOf(ExecutionCanceledException exception) => exception.Reason switch
    {
        CancellationReason.CancellationToken => "cancellation_token",
        CancellationReason.InterruptHandle => "interrupt_handle",
        CancellationReason.Disposal => "disposal",
        CancellationReason.Timeout => "timeout",
        _ => "budget",
    };

    private static string NameOf(BudgetKind budget) => budget switch
    {
        BudgetKind.WallClockTime => "wall_clock_time",
        BudgetKind.CpuTime => "cpu_time",
        BudgetKind.Instructions => "instructions",
        BudgetKind.HostCalls => "host_calls",
        BudgetKind.LogRecords => "log_records",
        _ => "printed_bytes",
    };

    private static string ExitKind(in VmExit exit) => exit.Reason switch
    {
        VmExitReason.IoOut => exit.Port switch
        {
            GuestPort.Halt => "halt",
            GuestPort.CallFunction => "host_call",
            GuestPort.Log => "log",
            GuestPort.Abort => "abort",
            GuestPort.DebugPrint => "debug_print",
            GuestPort.Timer => "timer",
            _ => "io_out",
        },
        VmExitReason.Halt => "halt",
        VmExitReason.IoIn => "io_in",
        VmExitReason.MmioRead => "mmio_read",
        VmExitReason.MmioWrite => "mmio_write",
        VmExitReason.AccessViolation => "access_violation",
        VmExitReason.Cancelled => "canceled",
        VmExitReason.Debug => "debug",
        VmExitReason.Shutdown => "shutdown",
        VmExitReason.EmulationFailure => "emulation_failure",
        VmExitReason.InstructionBudgetExhausted => "instruction_budget",
        VmExitReason.InterruptWindow => "interrupt_window",
        _ => "unknown",
    };
}

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>The keys of the tags of metrics and activities.</summary>
internal static class Tags
{
    public const string Driver = "hyperlight.driver";
    public const string Outcome = "hyperlight.outcome";
    public const string Function = "hyperlight.function";
    public const string HostFunction = "hyperlight.host_function";
    public const string Tool = "hyperlight.tool";
    public const string HostCalls = "hyperlight.host_calls";
    public const string ExitKind = "hyperlight.exit.kind";
    public const string CancellationReason = "hyperlight.cancellation.reason";
    public const string Budget = "hyperlight.budget";
    public const string GuestErrorCode = "hyperlight.guest.error.code";
    public const string GuestErrorKind = "hyperlight.guest.error.kind";
    public const string Guest = "hyperlight.guest";
    public const string SandboxId = "hyperlight.sandbox.id";
    public const string SandboxOrigin = "hyperlight.sandbox.origin";
    public const string MemoryKind = "hyperlight.memory.kind";
    public const string PoolName = "hyperlight.pool.name";
    public const string PoolState = "hyperlight.pool.state";
    public const string DiscardReason = "hyperlight.pool.discard.reason";

    public const string ProgramEnd = "hyperlight.program.end";
    public const string ProgramExitCode = "hyperlight.program.exit_code";

    /// <summary>The type of the exception that ended an operation: a convention of OpenTelemetry.</summary>
    public const string ErrorType = "error.type";

    /// <summary>The value for all that is not listed, so that the number of values is limited: a convention of OpenTelemetry.</summary>
    public const string Other = "_OTHER";
}

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>How an operation ended, as the value of a tag.</summary>
internal static class Outcome
{
    public const string Ok = "ok";

    /// <summary>The guest function returned an error.</summary>
    public const string GuestError = "guest_error";

    /// <summary>The guest returned a value that the caller cannot take.</summary>
    public const string ResultMismatch = "result_mismatch";

    public const string Aborted = "aborted";
    public const string Canceled = "canceled";
    public const string TimedOut = "timed_out";
    public const string BudgetExceeded = "budget_exceeded";

    /// <summary>The guest left its memory, or the vCPU stopped for an unexpected reason.</summary>
    public const string Fault = "fault";

    public const string ProtocolError = "protocol_error";
    public const string HypervisorError = "hypervisor_error";
    public const string OutOfMemory = "out_of_memory";

    /// <summary>The operation was not begun.</summary>
    public const string Rejected = "rejected";

    /// <summary>The pool was closed.</summary>
    public const string Closed = "closed";

    public const string Error = "error";

    /// <summary>The call ended before its host function did.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>All values, for the documentation and its test.</summary>
    public static string[] All { get; } =
    [
        Ok, GuestError, ResultMismatch, Aborted, Canceled, TimedOut, BudgetExceeded, Fault, ProtocolError, HypervisorError, OutOfMemory,
        Rejected, Closed, Error, Abandoned,
    ];

    /// <summary>The outcome of an operation that has thrown.</summary>
    public static string Of(Exception exception) => exception switch
    {
        GuestInitializationException { InnerException: { } cause } => Of(cause),
        GuestErrorException => GuestError,
        ReturnTypeMismatchException or DestinationTooSmallException => ResultMismatch,
        GuestAbortedException => Aborted,
        ExecutionCanceledException { Reason: CancellationReason.Timeout } or PoolTimeoutException => TimedOut,
        BudgetExceededException => BudgetExceeded,
        OperationCanceledException => Canceled,
        MemoryAccessViolationException or UnexpectedVmExitException => Fault,
        GuestProtocolException => ProtocolError,
        HypervisorException => HypervisorError,
        HostMemoryException or OutOfMemoryException => OutOfMemory,
        SandboxInUseException or SandboxPoisonedException or ObjectDisposedException or ArgumentException or NotSupportedException
            or SnapshotMismatchException or PoolQueueFullException or InsufficientExecutionStackException => Rejected,
        PoolClosedException => Closed,
        _ => Error,
    };
}

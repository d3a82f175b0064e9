using Hyperlight.Samples.AspNetFunctions.Functions;
using Hyperlight.Samples.AspNetFunctions.Guests;

namespace Hyperlight.Samples.AspNetFunctions.Http;

/// <summary>What a failure is for the client: the status, the kind, and whose fault it is.</summary>
internal readonly record struct Problem(int Status, string Kind, string Fault, string Detail)
{
    private const string Caller = "caller";
    private const string Guest = "guest";
    private const string Host = "host";

    /// <summary>The kind of an unexpected failure. Its details are in the log, and not in the answer.</summary>
    public const string Unexpected = "internal";

    public static Problem Of(Exception exception) => exception switch
    {
        BadArgumentsException => new(400, "arguments", Caller, exception.Message),
        BadHttpRequestException bad => new(bad.StatusCode, "request", Caller, bad.Message),
        UnknownFunctionException => new(404, "function-not-found", Caller, exception.Message),
        BodyTooLargeException => new(413, "body-too-large", Caller, exception.Message),
        MessageTooLargeException => new(413, "arguments-too-large", Caller, exception.Message),
        CatalogFullException => new(409, "catalog-full", Caller, exception.Message),
        GuestErrorException error => Of(error),
        GuestBinaryException or GuestVersionMismatchException or MemoryRequestException or FormatException =>
            new(422, "guest-invalid", Guest, exception.Message),
        GuestInitializationException => new(422, "guest-initialization", Guest, exception.Message),
        PoolCreationException { InnerException: HyperlightException cause } when cause is not HypervisorException => Of(cause),
        GuestAbortedException or MemoryAccessViolationException or UnexpectedVmExitException or GuestProtocolException =>
            new(502, "guest-crashed", Guest, exception.Message),
        BudgetExceededException { Budget: BudgetKind.WallClockTime or BudgetKind.CpuTime } => new(504, "time-limit", Guest, exception.Message),
        BudgetExceededException => new(422, "budget-exceeded", Guest, exception.Message),
        ExecutionCanceledException { Reason: CancellationReason.Disposal } or PoolClosedException =>
            new(503, "unavailable", Host, "The guest was replaced or removed, or the service stops. Try again."),
        PoolQueueFullException or PoolTimeoutException => new(503, "busy", Host, exception.Message),
        _ => new(500, Unexpected, Host, "The service failed. Its log has the reason."),
    };

    private static Problem Of(GuestErrorException error) => error.Code switch
    {
        GuestErrorCode.GuestFunctionNotFound => new(404, "function-not-found", Caller, error.Message),
        GuestErrorCode.GuestFunctionIncorrectArgumentCount or GuestErrorCode.GuestFunctionParameterTypeMismatch =>
            new(400, "arguments", Caller, error.Message),
        _ => new(422, "guest-error", Guest, error.GuestMessage),
    };
}

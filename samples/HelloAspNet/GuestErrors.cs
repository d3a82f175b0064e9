namespace Hyperlight.Samples.HelloAspNet;

/// <summary>The status codes of failed calls: they tell a busy host, a guest that failed and a host that failed apart.</summary>
internal static class GuestErrors
{
    public static int StatusCodeOf(Exception exception) => exception switch
    {
        // All sandboxes are in use, or the application stops: the client can try again.
        PoolQueueFullException or PoolTimeoutException or PoolClosedException => StatusCodes.Status503ServiceUnavailable,

        // The guest used more than its budget allows. Its sandbox was replaced.
        BudgetExceededException { Budget: not BudgetKind.WallClockTime } => StatusCodes.Status502BadGateway,

        // The guest took too long.
        ExecutionCanceledException => StatusCodes.Status504GatewayTimeout,

        // The arguments are larger than the guest's input buffer.
        MessageTooLargeException => StatusCodes.Status413PayloadTooLarge,

        // The host failed: its hypervisor, or the guest cannot be loaded.
        PoolCreationException or HypervisorException or HostMemoryException => StatusCodes.Status500InternalServerError,

        // The guest failed: it reported an error, crashed, or broke the protocol.
        HyperlightException => StatusCodes.Status502BadGateway,

        _ => StatusCodes.Status500InternalServerError,
    };
}

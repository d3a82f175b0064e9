namespace Hyperlight.Host.Execution;

/// <summary>
/// Starts what outlives the operation that starts it, such as a timer of a pool that a request uses first. With the <see
/// cref="ExecutionContext"/> of that operation it would keep its objects, and act in its name.
/// </summary>
internal static class WithoutContext
{
    /// <summary>Calls a function from which no context flows.</summary>
    public static T Run<T>(Func<T> start)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return start();
        }

        using (ExecutionContext.SuppressFlow())
        {
            return start();
        }
    }
}

namespace Hyperlight;

/// <content>Asynchronous calls. All exceptions are the task's. A call in progress does not refer to the lease.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public Task<TResult> CallAsync<TResult>(string functionName, params GuestValue[] arguments) =>
        CallAsync<TResult>(Enter(functionName), functionName, arguments);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public Task<TResult> CallAsync<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync<TResult>(Enter(functionName), functionName, arguments, cancellationToken);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallAsync<TResult>(Enter(functionName), functionName, arguments, timeout, cancellationToken);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        CallAsync<TResult>(Enter(functionName), functionName, arguments, budget, cancellationToken);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue})"/>
    public Task CallAsync(string functionName, params GuestValue[] arguments) =>
        CallAsync(Enter(functionName), functionName, arguments);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public Task CallAsync(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync(Enter(functionName), functionName, arguments, cancellationToken);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public Task CallAsync(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        CallAsync(Enter(functionName), functionName, arguments, timeout, cancellationToken);

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public Task CallAsync(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default) =>
        CallAsync(Enter(functionName), functionName, arguments, budget, cancellationToken);

    private static async Task<TResult> CallAsync<TResult>(Use use, string functionName, GuestValue[] arguments)
    {
        using (use)
        {
            return await use.Sandbox.CallAsync<TResult>(functionName, arguments).ConfigureAwait(false);
        }
    }

    private static async Task<TResult> CallAsync<TResult>(
        Use use, string functionName, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        using (use)
        {
            return await use.Sandbox.CallAsync<TResult>(functionName, arguments, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<TResult> CallAsync<TResult>(
        Use use, string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using (use)
        {
            return await use.Sandbox.CallAsync<TResult>(functionName, arguments, timeout, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<TResult> CallAsync<TResult>(
        Use use, string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken)
    {
        using (use)
        {
            return await use.Sandbox.CallAsync<TResult>(functionName, arguments, budget, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task CallAsync(Use use, string functionName, GuestValue[] arguments)
    {
        using (use)
        {
            await use.Sandbox.CallAsync(functionName, arguments).ConfigureAwait(false);
        }
    }

    private static async Task CallAsync(Use use, string functionName, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        using (use)
        {
            await use.Sandbox.CallAsync(functionName, arguments, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task CallAsync(
        Use use, string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using (use)
        {
            await use.Sandbox.CallAsync(functionName, arguments, timeout, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task CallAsync(
        Use use, string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken)
    {
        using (use)
        {
            await use.Sandbox.CallAsync(functionName, arguments, budget, cancellationToken).ConfigureAwait(false);
        }
    }
}

namespace Hyperlight;

/// <content>Asynchronous calls. All exceptions are the task's.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public async Task<TResult> CallAsync<TResult>(string functionName, params GuestValue[] arguments)
    {
        using Use use = Enter(functionName);
        return await use.Sandbox.CallAsync<TResult>(functionName, arguments).ConfigureAwait(false);
    }

    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public async Task<TResult> CallAsync<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        using Use use = Enter(functionName);
        return await use.Sandbox.CallAsync<TResult>(functionName, arguments, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="MultiUseSandbox.CallAsync{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public async Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        return await use.Sandbox.CallAsync<TResult>(functionName, arguments, timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue})"/>
    public async Task CallAsync(string functionName, params GuestValue[] arguments)
    {
        using Use use = Enter(functionName);
        await use.Sandbox.CallAsync(functionName, arguments).ConfigureAwait(false);
    }

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public async Task CallAsync(string functionName, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        using Use use = Enter(functionName);
        await use.Sandbox.CallAsync(functionName, arguments, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="MultiUseSandbox.CallAsync(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public async Task CallAsync(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        await use.Sandbox.CallAsync(functionName, arguments, timeout, cancellationToken).ConfigureAwait(false);
    }
}

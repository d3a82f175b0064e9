namespace Hyperlight;

/// <content>Calls. With a <see cref="MultiUseSandbox"/> they allocate nothing for the arguments.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public TResult Call<TResult>(string functionName, params ReadOnlySpan<GuestValue> arguments)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox is MultiUseSandbox direct
                ? direct.Call<TResult>(functionName, arguments)
                : sandbox.Call<TResult>(functionName, arguments.ToArray());
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public TResult Call<TResult>(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox is MultiUseSandbox direct
                ? direct.Call<TResult>(functionName, arguments, cancellationToken)
                : sandbox.Call<TResult>(functionName, arguments.ToArray(), cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public TResult Call<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox is MultiUseSandbox direct
                ? direct.Call<TResult>(functionName, arguments, timeout, cancellationToken)
                : sandbox.Call<TResult>(functionName, arguments.ToArray(), timeout, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue})"/>
    public void Call(string functionName, params ReadOnlySpan<GuestValue> arguments)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            if (sandbox is MultiUseSandbox direct)
            {
                direct.Call(functionName, arguments);
            }
            else
            {
                sandbox.Call(functionName, arguments.ToArray());
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public void Call(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            if (sandbox is MultiUseSandbox direct)
            {
                direct.Call(functionName, arguments, cancellationToken);
            }
            else
            {
                sandbox.Call(functionName, arguments.ToArray(), cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public void Call(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            if (sandbox is MultiUseSandbox direct)
            {
                direct.Call(functionName, arguments, timeout, cancellationToken);
            }
            else
            {
                sandbox.Call(functionName, arguments.ToArray(), timeout, cancellationToken);
            }
        }
        finally
        {
            Leave();
        }
    }
}

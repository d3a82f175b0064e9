namespace Hyperlight;

/// <content>Calls. With a <see cref="MultiUseSandbox"/> they allocate nothing for the arguments.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue})"/>
    public TResult Call<TResult>(string functionName, params ReadOnlySpan<GuestValue> arguments)
    {
        using Use use = Enter(functionName);
        return use.Sandbox is MultiUseSandbox direct
            ? direct.Call<TResult>(functionName, arguments)
            : use.Sandbox.Call<TResult>(functionName, arguments.ToArray());
    }

    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public TResult Call<TResult>(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken)
    {
        using Use use = Enter(functionName);
        return use.Sandbox is MultiUseSandbox direct
            ? direct.Call<TResult>(functionName, arguments, cancellationToken)
            : use.Sandbox.Call<TResult>(functionName, arguments.ToArray(), cancellationToken);
    }

    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public TResult Call<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        return use.Sandbox is MultiUseSandbox direct
            ? direct.Call<TResult>(functionName, arguments, timeout, cancellationToken)
            : use.Sandbox.Call<TResult>(functionName, arguments.ToArray(), timeout, cancellationToken);
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue})"/>
    public void Call(string functionName, params ReadOnlySpan<GuestValue> arguments)
    {
        using Use use = Enter(functionName);
        if (use.Sandbox is MultiUseSandbox direct)
        {
            direct.Call(functionName, arguments);
        }
        else
        {
            use.Sandbox.Call(functionName, arguments.ToArray());
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue}, CancellationToken)"/>
    public void Call(string functionName, ReadOnlySpan<GuestValue> arguments, CancellationToken cancellationToken)
    {
        using Use use = Enter(functionName);
        if (use.Sandbox is MultiUseSandbox direct)
        {
            direct.Call(functionName, arguments, cancellationToken);
        }
        else
        {
            use.Sandbox.Call(functionName, arguments.ToArray(), cancellationToken);
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue}, TimeSpan, CancellationToken)"/>
    public void Call(
        string functionName, ReadOnlySpan<GuestValue> arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        if (use.Sandbox is MultiUseSandbox direct)
        {
            direct.Call(functionName, arguments, timeout, cancellationToken);
        }
        else
        {
            use.Sandbox.Call(functionName, arguments.ToArray(), timeout, cancellationToken);
        }
    }
}

namespace Hyperlight;

/// <content>The members that are the same for every sandbox, and calls with arrays.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc/>
    public int CallInto(string functionName, Memory<byte> destination, params GuestValue[] arguments)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox.CallInto(functionName, destination, arguments);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public int CallInto(string functionName, Memory<byte> destination, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox.CallInto(functionName, destination, arguments, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public int CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken = default)
    {
        ISandbox sandbox = Enter(functionName);
        try
        {
            return sandbox.CallInto(functionName, destination, arguments, timeout, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public Snapshot TakeSnapshot()
    {
        ISandbox sandbox = Enter(_lastFunction);
        try
        {
            return sandbox.TakeSnapshot();
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public void Restore(Snapshot snapshot)
    {
        ISandbox sandbox = Enter(_lastFunction);
        try
        {
            sandbox.Restore(snapshot);
        }
        finally
        {
            Leave();
        }
    }

    TResult ISandbox.Call<TResult>(string functionName, params GuestValue[] arguments) =>
        Call<TResult>(functionName, MultiUseSandbox.Span(arguments));

    TResult ISandbox.Call<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, MultiUseSandbox.Span(arguments), cancellationToken);

    TResult ISandbox.Call<TResult>(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, MultiUseSandbox.Span(arguments), timeout, cancellationToken);

    void ISandbox.Call(string functionName, params GuestValue[] arguments) => Call(functionName, MultiUseSandbox.Span(arguments));

    void ISandbox.Call(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        Call(functionName, MultiUseSandbox.Span(arguments), cancellationToken);

    void ISandbox.Call(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call(functionName, MultiUseSandbox.Span(arguments), timeout, cancellationToken);
}

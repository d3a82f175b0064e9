namespace Hyperlight;

/// <content>The members that are the same for every sandbox, and calls with arrays.</content>
public sealed partial class SandboxLease
{
    /// <inheritdoc/>
    public int CallInto(string functionName, Memory<byte> destination, params GuestValue[] arguments)
    {
        using Use use = Enter(functionName);
        return use.Sandbox.CallInto(functionName, destination, arguments);
    }

    /// <inheritdoc/>
    public int CallInto(string functionName, Memory<byte> destination, GuestValue[] arguments, CancellationToken cancellationToken)
    {
        using Use use = Enter(functionName);
        return use.Sandbox.CallInto(functionName, destination, arguments, cancellationToken);
    }

    /// <inheritdoc/>
    public int CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        return use.Sandbox.CallInto(functionName, destination, arguments, timeout, cancellationToken);
    }

    /// <inheritdoc/>
    public Snapshot TakeSnapshot()
    {
        using Use use = Enter(_lastFunction);
        return use.Sandbox.TakeSnapshot();
    }

    /// <inheritdoc/>
    public void Restore(Snapshot snapshot)
    {
        using Use use = Enter(_lastFunction);
        use.Sandbox.Restore(snapshot);
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

namespace Hyperlight;

/// <content>Calls with a budget, and what a call has used.</content>
public sealed partial class SandboxLease
{
    /// <summary>What the call in progress has used so far, or the last call of the lease has used.</summary>
    /// <exception cref="ObjectDisposedException">The lease was returned.</exception>
    public CallStatistics LastCall
    {
        get
        {
            using Use use = Enter(_lastFunction);
            return use.Sandbox.LastCall;
        }
    }

    /// <inheritdoc cref="MultiUseSandbox.Call{TResult}(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public TResult Call<TResult>(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        return use.Sandbox is MultiUseSandbox direct
            ? direct.Call<TResult>(functionName, arguments, budget, cancellationToken)
            : use.Sandbox.Call<TResult>(functionName, arguments.ToArray(), budget, cancellationToken);
    }

    /// <inheritdoc cref="MultiUseSandbox.Call(string, ReadOnlySpan{GuestValue}, CallBudget, CancellationToken)"/>
    public void Call(
        string functionName, ReadOnlySpan<GuestValue> arguments, CallBudget budget, CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        if (use.Sandbox is MultiUseSandbox direct)
        {
            direct.Call(functionName, arguments, budget, cancellationToken);
        }
        else
        {
            use.Sandbox.Call(functionName, arguments.ToArray(), budget, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public int CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        CallBudget budget,
        CancellationToken cancellationToken = default)
    {
        using Use use = Enter(functionName);
        return use.Sandbox.CallInto(functionName, destination, arguments, budget, cancellationToken);
    }

    TResult ISandbox.Call<TResult>(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, MultiUseSandbox.Span(arguments), budget, cancellationToken);

    void ISandbox.Call(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call(functionName, MultiUseSandbox.Span(arguments), budget, cancellationToken);
}

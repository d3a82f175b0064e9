namespace Hyperlight;

/// <content>Calls with arrays of arguments, which mocking libraries can handle.</content>
public sealed partial class MultiUseSandbox : ISandbox
{
    TResult ISandbox.Call<TResult>(string functionName, params GuestValue[] arguments) =>
        Call<TResult>(functionName, Span(arguments));

    TResult ISandbox.Call<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, Span(arguments), cancellationToken);

    TResult ISandbox.Call<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, Span(arguments), timeout, cancellationToken);

    void ISandbox.Call(string functionName, params GuestValue[] arguments) => Call(functionName, Span(arguments));

    void ISandbox.Call(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        Call(functionName, Span(arguments), cancellationToken);

    void ISandbox.Call(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        Call(functionName, Span(arguments), timeout, cancellationToken);

    int ISandbox.CallInto(string functionName, Memory<byte> destination, params GuestValue[] arguments) =>
        CallInto(functionName, destination.Span, Span(arguments));

    int ISandbox.CallInto(
        string functionName, Memory<byte> destination, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallInto(functionName, destination.Span, Span(arguments), cancellationToken);

    int ISandbox.CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken) =>
        CallInto(functionName, destination.Span, Span(arguments), timeout, cancellationToken);

    Task<TResult> ISandbox.CallAsync<TResult>(string functionName, params GuestValue[] arguments) =>
        CallAsync<TResult>(functionName, Span(arguments));

    Task<TResult> ISandbox.CallAsync<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync<TResult>(functionName, Span(arguments), cancellationToken);

    Task<TResult> ISandbox.CallAsync<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync<TResult>(functionName, Span(arguments), timeout, cancellationToken);

    Task ISandbox.CallAsync(string functionName, params GuestValue[] arguments) => CallAsync(functionName, Span(arguments));

    Task ISandbox.CallAsync(string functionName, GuestValue[] arguments, CancellationToken cancellationToken) =>
        CallAsync(functionName, Span(arguments), cancellationToken);

    Task ISandbox.CallAsync(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken) =>
        CallAsync(functionName, Span(arguments), timeout, cancellationToken);

    TResult ISandbox.Call<TResult>(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call<TResult>(functionName, Span(arguments), budget, cancellationToken);

    void ISandbox.Call(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        Call(functionName, Span(arguments), budget, cancellationToken);

    int ISandbox.CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        CallBudget budget,
        CancellationToken cancellationToken) =>
        CallInto(functionName, destination.Span, Span(arguments), budget, cancellationToken);

    Task<TResult> ISandbox.CallAsync<TResult>(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        CallAsync<TResult>(functionName, Span(arguments), budget, cancellationToken);

    Task ISandbox.CallAsync(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken) =>
        CallAsync(functionName, Span(arguments), budget, cancellationToken);

    internal static ReadOnlySpan<GuestValue> Span(GuestValue[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return arguments;
    }
}

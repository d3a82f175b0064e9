namespace Hyperlight;

/// <content>Calls with a budget, and what a call has used.</content>
public partial interface ISandbox
{
    /// <summary>What the call in progress has used so far, or the last call has used.</summary>
    CallStatistics LastCall { get; }

    /// <summary>Calls a guest function that returns a value, with a budget and a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="budget">Limits of the call, in addition to those of the sandbox.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    TResult Call<TResult>(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default);

    /// <summary>Calls a guest function without a result, or discards it, with a budget and a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="budget">Limits of the call, in addition to those of the sandbox.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    void Call(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default);

    /// <summary>
    /// Calls a guest function that returns bytes, and copies these into the caller's memory, with a budget and a token that can
    /// end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes.</param>
    /// <param name="budget">Limits of the call, in addition to those of the sandbox.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number of bytes that the function returned.</returns>
    int CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        CallBudget budget,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Calls a guest function that returns a value, on a thread of <see cref="GuestThreads"/>, with a budget and a token that can
    /// end the call.
    /// </summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="budget">Limits of the call, in addition to those of the sandbox.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default);

    /// <summary>
    /// Calls a guest function without a result, or discards it, on a thread of <see cref="GuestThreads"/>, with a budget and a
    /// token that can end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="budget">Limits of the call, in addition to those of the sandbox.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task CallAsync(string functionName, GuestValue[] arguments, CallBudget budget, CancellationToken cancellationToken = default);
}

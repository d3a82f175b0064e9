namespace Hyperlight;

/// <summary>
/// The interface of a running guest, for code that is tested with a mock. <see cref="MultiUseSandbox"/>
/// implements it; a mocking library can do so too, because arguments are arrays here and not spans. A call is written in the
/// same way with either: <c>sandbox.Call&lt;int&gt;("Add", 1, 2)</c>. With this interface it allocates the array of its arguments.
/// </summary>
/// <remarks>The members and their exceptions are documented at <see cref="MultiUseSandbox"/>.</remarks>
public partial interface ISandbox : IHostFunctionRegistrar, IDisposable
{
    /// <summary>A number that identifies the sandbox within the process.</summary>
    long Id { get; }

    /// <summary>The hypervisor that runs the guest, and why it was chosen.</summary>
    HypervisorSelection Hypervisor { get; }

    /// <summary>Whether the sandbox can be called.</summary>
    SandboxStatus Status { get; }

    /// <summary>Calls a guest function that returns a value.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    TResult Call<TResult>(string functionName, params GuestValue[] arguments);

    /// <summary>Calls a guest function that returns a value, with a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    TResult Call<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken);

    /// <summary>Calls a guest function that returns a value, with a time limit and a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="timeout">The time limit of the call, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    TResult Call<TResult>(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Calls a guest function without a result. The result of a function that has one is discarded.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    void Call(string functionName, params GuestValue[] arguments);

    /// <summary>Calls a guest function without a result, or discards it, with a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    void Call(string functionName, GuestValue[] arguments, CancellationToken cancellationToken);

    /// <summary>Calls a guest function without a result, or discards it, with a time limit and a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="timeout">The time limit of the call, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    void Call(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Calls a guest function that returns bytes, and copies these into the caller's memory.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes.</param>
    /// <returns>The number of bytes that the function returned.</returns>
    int CallInto(string functionName, Memory<byte> destination, params GuestValue[] arguments);

    /// <summary>Calls a guest function that returns bytes, and copies these into the caller's memory, with a token that can end the call.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number of bytes that the function returned.</returns>
    int CallInto(string functionName, Memory<byte> destination, GuestValue[] arguments, CancellationToken cancellationToken);

    /// <summary>
    /// Calls a guest function that returns bytes, and copies these into the caller's memory, with a time limit and a token that
    /// can end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="destination">Receives the bytes.</param>
    /// <param name="arguments">The function's arguments, of exactly the types the function takes.</param>
    /// <param name="timeout">The time limit of the call, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number of bytes that the function returned.</returns>
    int CallInto(
        string functionName,
        Memory<byte> destination,
        GuestValue[] arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken = default);

    /// <summary>Calls a guest function that returns a value, on a thread of <see cref="GuestThreads"/>.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    Task<TResult> CallAsync<TResult>(string functionName, params GuestValue[] arguments);

    /// <summary>Calls a guest function that returns a value, on a thread of <see cref="GuestThreads"/>, with a token that can end the call.</summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<TResult> CallAsync<TResult>(string functionName, GuestValue[] arguments, CancellationToken cancellationToken);

    /// <summary>
    /// Calls a guest function that returns a value, on a thread of <see cref="GuestThreads"/>, with a time limit and a token
    /// that can end the call.
    /// </summary>
    /// <typeparam name="TResult">What the function returns: a type of the guest ABI, or <see cref="GuestValue"/> for any of them.</typeparam>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="timeout">The time limit of the call, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<TResult> CallAsync<TResult>(
        string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Calls a guest function without a result, or discards it, on a thread of <see cref="GuestThreads"/>.</summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    Task CallAsync(string functionName, params GuestValue[] arguments);

    /// <summary>
    /// Calls a guest function without a result, or discards it, on a thread of <see cref="GuestThreads"/>, with a token that can
    /// end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task CallAsync(string functionName, GuestValue[] arguments, CancellationToken cancellationToken);

    /// <summary>
    /// Calls a guest function without a result, or discards it, on a thread of <see cref="GuestThreads"/>, with a time limit and
    /// a token that can end the call.
    /// </summary>
    /// <param name="functionName">The guest function.</param>
    /// <param name="arguments">Its arguments, of exactly the types the function takes.</param>
    /// <param name="timeout">The time limit of the call, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task CallAsync(string functionName, GuestValue[] arguments, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Captures the current state of the guest.</summary>
    Snapshot TakeSnapshot();

    /// <summary>Restores the state of a snapshot.</summary>
    /// <param name="snapshot">A snapshot of this sandbox, or of one with the same guest and configuration.</param>
    void Restore(Snapshot snapshot);
}

using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <summary>
/// Registers delegates as host functions. Parameters and results can be <see cref="int"/>, <see cref="uint"/>,
/// <see cref="long"/>, <see cref="ulong"/>, <see cref="float"/>, <see cref="double"/>, <see cref="bool"/>,
/// <see cref="string"/>, and bytes as <c>byte[]</c>, <see cref="ReadOnlyMemory{T}"/> or <see cref="ReadOnlySpan{T}"/>; a
/// span argument is valid until the function returns. A function runs on the thread that called the guest. If it throws,
/// the guest gets an error with the exception's message, which must not contain secrets. If the guest does not handle the
/// error, the exception is an inner exception for the caller.
/// </summary>
/// <remarks>
/// <para>
/// The last parameter can be a <see cref="CancellationToken"/>, which is not a parameter for the guest. It is cancelled
/// when the call in which the function runs is ended by the caller's token, a time limit, the <see cref="InterruptHandle"/>
/// or disposal. A function that waits should observe it, because the call ends only when the function has returned.
/// Callbacks that are registered with the token run on a thread of the library; their exceptions are logged.
/// </para>
/// <para>
/// An asynchronous function returns <see cref="Task"/>, <see cref="Task{TResult}"/>, <see cref="ValueTask"/> or <see
/// cref="ValueTask{TResult}"/>. The guest waits until the task completes. If the guest was called with <c>CallAsync</c>, no
/// thread waits; if it was called with <c>Call</c>, the calling thread does. The function does not see the caller's <see
/// cref="SynchronizationContext"/>. When the call is ended, it ends without waiting for the task.
/// </para>
/// <para>
/// The overloads differ only in the number of parameters. Each throws <see cref="ArgumentException"/> for a name that is empty or not valid
/// Unicode, and <see cref="NotSupportedException"/> for a type that the guest ABI does not have, or a token that is not the last parameter.
/// </para>
/// </remarks>
public static partial class HostFunctionExtensions
{
    /// <summary>An asynchronous lambda expression fits the overloads for tasks and those for value tasks: it becomes a task.</summary>
    private const int TaskPriority = 1;

    private static TTarget AddAsynchronous<TTarget>(
        TTarget target,
        string name,
        GuestValueType resultType,
        HostFunctionBody body,
        params ReadOnlySpan<GuestValueType?> parameters)
        where TTarget : IHostFunctionRegistrar =>
        Add(target, new HostFunction(name, resultType, body, parameters) { IsAsynchronous = true });

    private static TTarget Add<TTarget>(TTarget target, HostFunction function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(target);
        target.AddHostFunction(function);
        return target;
    }
}

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

    /// <summary>Registers a function of 0 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, TResult>(
        this TTarget target, string name, Func<TResult> function)
        where TTarget : IHostFunctionRegistrar
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function())));
    }

    /// <summary>Registers a function of 1 parameter with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, TResult>(
        this TTarget target, string name, Func<T1, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(frame.Argument<T1>(0))),
            ValueTypes.OfParameter<T1>()));
    }

    /// <summary>Registers a function of 2 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, TResult>(
        this TTarget target, string name, Func<T1, T2, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(frame.Argument<T1>(0), frame.Argument<T2>(1))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>()));
    }

    /// <summary>Registers a function of 3 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(frame.Argument<T1>(0), frame.Argument<T2>(1), frame.Argument<T3>(2))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>()));
    }

    /// <summary>Registers a function of 4 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(frame.Argument<T1>(0), frame.Argument<T2>(1), frame.Argument<T3>(2), frame.Argument<T4>(3))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>()));
    }

    /// <summary>Registers a function of 5 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>()));
    }

    /// <summary>Registers a function of 6 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4),
                frame.Argument<T6>(5))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>(),
            ValueTypes.OfParameter<T6>()));
    }

    /// <summary>Registers a function of 7 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4),
                frame.Argument<T6>(5),
                frame.Argument<T7>(6))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>(),
            ValueTypes.OfParameter<T6>(),
            ValueTypes.OfParameter<T7>()));
    }

    /// <summary>Registers a function of 8 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="T8">The type of parameter 8.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4),
                frame.Argument<T6>(5),
                frame.Argument<T7>(6),
                frame.Argument<T8>(7))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>(),
            ValueTypes.OfParameter<T6>(),
            ValueTypes.OfParameter<T7>(),
            ValueTypes.OfParameter<T8>()));
    }

    /// <summary>Registers a function of 9 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="T8">The type of parameter 8.</typeparam>
    /// <typeparam name="T9">The type of parameter 9.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct
        where T9 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4),
                frame.Argument<T6>(5),
                frame.Argument<T7>(6),
                frame.Argument<T8>(7),
                frame.Argument<T9>(8))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>(),
            ValueTypes.OfParameter<T6>(),
            ValueTypes.OfParameter<T7>(),
            ValueTypes.OfParameter<T8>(),
            ValueTypes.OfParameter<T9>()));
    }

    /// <summary>Registers a function of 10 parameters with a result.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <typeparam name="T1">The type of parameter 1.</typeparam>
    /// <typeparam name="T2">The type of parameter 2.</typeparam>
    /// <typeparam name="T3">The type of parameter 3.</typeparam>
    /// <typeparam name="T4">The type of parameter 4.</typeparam>
    /// <typeparam name="T5">The type of parameter 5.</typeparam>
    /// <typeparam name="T6">The type of parameter 6.</typeparam>
    /// <typeparam name="T7">The type of parameter 7.</typeparam>
    /// <typeparam name="T8">The type of parameter 8.</typeparam>
    /// <typeparam name="T9">The type of parameter 9.</typeparam>
    /// <typeparam name="T10">The type of parameter 10.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="function">The function.</param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult> function)
        where TTarget : IHostFunctionRegistrar
        where T1 : allows ref struct
        where T2 : allows ref struct
        where T3 : allows ref struct
        where T4 : allows ref struct
        where T5 : allows ref struct
        where T6 : allows ref struct
        where T7 : allows ref struct
        where T8 : allows ref struct
        where T9 : allows ref struct
        where T10 : allows ref struct
        where TResult : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.Return(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4),
                frame.Argument<T6>(5),
                frame.Argument<T7>(6),
                frame.Argument<T8>(7),
                frame.Argument<T9>(8),
                frame.Argument<T10>(9))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>(),
            ValueTypes.OfParameter<T6>(),
            ValueTypes.OfParameter<T7>(),
            ValueTypes.OfParameter<T8>(),
            ValueTypes.OfParameter<T9>(),
            ValueTypes.OfParameter<T10>()));
    }

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

using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>The overloads for functions with a result.</content>
public static partial class HostFunctionExtensions
{
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
}

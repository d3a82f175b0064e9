using System.Runtime.CompilerServices;
using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>Asynchronous functions that return a task with a result.</content>
public static partial class HostFunctionExtensions
{
    /// <summary>Registers an asynchronous function of 0 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, TResult}(TTarget, string, Func{TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, TResult>(
        this TTarget target, string name, Func<Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function()));
    }

    /// <summary>Registers an asynchronous function of 1 parameter with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, TResult}(TTarget, string, Func{T1, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, TResult>(
        this TTarget target, string name, Func<T1, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(frame.Argument<T1>(0))),
            ValueTypes.OfParameter<T1>());
    }

    /// <summary>Registers an asynchronous function of 2 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, TResult}(TTarget, string, Func{T1, T2, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, TResult>(
        this TTarget target, string name, Func<T1, T2, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>());
    }

    /// <summary>Registers an asynchronous function of 3 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, TResult}(TTarget, string, Func{T1, T2, T3, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>());
    }

    /// <summary>Registers an asynchronous function of 4 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, TResult}(TTarget, string, Func{T1, T2, T3, T4, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>());
    }

    /// <summary>Registers an asynchronous function of 5 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2),
                frame.Argument<T4>(3),
                frame.Argument<T5>(4))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>(),
            ValueTypes.OfParameter<T4>(),
            ValueTypes.OfParameter<T5>());
    }

    /// <summary>Registers an asynchronous function of 6 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, T6, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
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
            ValueTypes.OfParameter<T6>());
    }

    /// <summary>Registers an asynchronous function of 7 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, T6, T7, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
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
            ValueTypes.OfParameter<T7>());
    }

    /// <summary>Registers an asynchronous function of 8 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, T6, T7, T8, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
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
            ValueTypes.OfParameter<T8>());
    }

    /// <summary>Registers an asynchronous function of 9 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
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
            ValueTypes.OfParameter<T9>());
    }

    /// <summary>Registers an asynchronous function of 10 parameters with a result, which returns a <see cref="Task{TResult}"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult}(TTarget, string, Func{T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult})"/>
    [OverloadResolutionPriority(TaskPriority)]
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, Task<TResult>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            ValueTypes.OfResult<TResult>(),
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
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
            ValueTypes.OfParameter<T10>());
    }
}

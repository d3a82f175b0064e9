using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>Asynchronous functions that return a value task without a result.</content>
public static partial class HostFunctionExtensions
{
    /// <summary>Registers an asynchronous function of 0 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget}(TTarget, string, Action)"/>
    public static TTarget WithHostFunction<TTarget>(
        this TTarget target, string name, Func<ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function()));
    }

    /// <summary>Registers an asynchronous function of 1 parameter without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1}(TTarget, string, Action{T1})"/>
    public static TTarget WithHostFunction<TTarget, T1>(
        this TTarget target, string name, Func<T1, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(frame.Argument<T1>(0))),
            ValueTypes.OfParameter<T1>());
    }

    /// <summary>Registers an asynchronous function of 2 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2}(TTarget, string, Action{T1, T2})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2>(
        this TTarget target, string name, Func<T1, T2, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>());
    }

    /// <summary>Registers an asynchronous function of 3 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3}(TTarget, string, Action{T1, T2, T3})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3>(
        this TTarget target, string name, Func<T1, T2, T3, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(function(
                frame.Argument<T1>(0),
                frame.Argument<T2>(1),
                frame.Argument<T3>(2))),
            ValueTypes.OfParameter<T1>(),
            ValueTypes.OfParameter<T2>(),
            ValueTypes.OfParameter<T3>());
    }

    /// <summary>Registers an asynchronous function of 4 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4}(TTarget, string, Action{T1, T2, T3, T4})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4>(
        this TTarget target, string name, Func<T1, T2, T3, T4, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 5 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5}(TTarget, string, Action{T1, T2, T3, T4, T5})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 6 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6}(TTarget, string, Action{T1, T2, T3, T4, T5, T6})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 7 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7}(TTarget, string, Action{T1, T2, T3, T4, T5, T6, T7})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 8 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8}(TTarget, string, Action{T1, T2, T3, T4, T5, T6, T7, T8})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 9 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9}(TTarget, string, Action{T1, T2, T3, T4, T5, T6, T7, T8, T9})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

    /// <summary>Registers an asynchronous function of 10 parameters without a result, which returns a <see cref="ValueTask"/>.</summary>
    /// <inheritdoc cref="WithHostFunction{TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10}(TTarget, string, Action{T1, T2, T3, T4, T5, T6, T7, T8, T9, T10})"/>
    public static TTarget WithHostFunction<TTarget, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(
        this TTarget target, string name, Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, ValueTask> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddAsynchronous(
            target,
            name,
            GuestValueType.Void,
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

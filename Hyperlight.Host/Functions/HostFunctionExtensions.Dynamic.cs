using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>Functions whose signature is not known when the program is compiled.</content>
public static partial class HostFunctionExtensions
{
    /// <summary>Registers a function by its signature. The function gets arguments of exactly these types.</summary>
    /// <typeparam name="TTarget">The builder or sandbox.</typeparam>
    /// <param name="target">The builder or sandbox.</param>
    /// <param name="name">The name by which the guest calls the function.</param>
    /// <param name="parameterTypes">The types of the parameters that the guest passes, in order.</param>
    /// <param name="resultType">The type of the result, or <see cref="GuestValueType.Void"/> for none.</param>
    /// <param name="function">
    /// The function. Its arguments are copies, which remain valid. It returns a value of the result's type, the default
    /// <see cref="GuestValue"/> for none; a value of another type is a failure of the function.
    /// </param>
    /// <returns><paramref name="target"/>, for further calls.</returns>
    /// <exception cref="ArgumentException">The name is empty or not valid Unicode, a parameter has the type <see cref="GuestValueType.Void"/>, or there is no such type.</exception>
    public static TTarget WithHostFunction<TTarget>(
        this TTarget target,
        string name,
        ReadOnlySpan<GuestValueType> parameterTypes,
        GuestValueType resultType,
        Func<ReadOnlySpan<GuestValue>, GuestValue> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            parameterTypes,
            resultType,
            (ref HostFunctionFrame frame) => frame.Return(function(frame.Arguments()), resultType)));
    }

    /// <summary>
    /// Registers a function with a cancellation token by its signature; see <see cref="HostFunctionExtensions"/>.
    /// </summary>
    /// <inheritdoc cref="WithHostFunction{TTarget}(TTarget, string, ReadOnlySpan{GuestValueType}, GuestValueType, Func{ReadOnlySpan{GuestValue}, GuestValue})"/>
    public static TTarget WithHostFunction<TTarget>(
        this TTarget target,
        string name,
        ReadOnlySpan<GuestValueType> parameterTypes,
        GuestValueType resultType,
        Func<ReadOnlySpan<GuestValue>, CancellationToken, GuestValue> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            parameterTypes,
            resultType,
            (ref HostFunctionFrame frame) =>
                frame.Return(function(frame.Arguments(), frame.Argument<CancellationToken>(0)), resultType)));
    }

    /// <summary>
    /// Registers an asynchronous function with a cancellation token by its signature; see <see cref="HostFunctionExtensions"/>.
    /// </summary>
    /// <inheritdoc cref="WithHostFunction{TTarget}(TTarget, string, ReadOnlySpan{GuestValueType}, GuestValueType, Func{ReadOnlySpan{GuestValue}, GuestValue})"/>
    public static TTarget WithHostFunction<TTarget>(
        this TTarget target,
        string name,
        ReadOnlySpan<GuestValueType> parameterTypes,
        GuestValueType resultType,
        Func<GuestValue[], CancellationToken, Task<GuestValue>> function)
        where TTarget : IHostFunctionRegistrar
    {
        ArgumentNullException.ThrowIfNull(function);
        return Add(target, new HostFunction(
            name,
            parameterTypes,
            resultType,
            (ref HostFunctionFrame frame) => frame.ReturnWhenCompleted(
                function(frame.Arguments(), frame.Argument<CancellationToken>(0)), resultType))
        {
            IsAsynchronous = true,
        });
    }
}

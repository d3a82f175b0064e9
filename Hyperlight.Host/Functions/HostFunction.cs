using Hyperlight.Host.Functions;
using Hyperlight.Host.Wire;

namespace Hyperlight;

/// <summary>
/// A host function that a guest can call. Created by
/// <see cref="HostFunctionExtensions"/>. A guest can access the host only through host functions.
/// </summary>
public sealed class HostFunction
{
    private readonly GuestValueType[] _parameterTypes;
    private readonly HostFunctionBody _body;

    /// <param name="name">The name by which the guest calls it.</param>
    /// <param name="resultType">The type of its result.</param>
    /// <param name="body">What calls the delegate.</param>
    /// <param name="parameters">The types of its parameters; <see langword="null"/> for a <see cref="CancellationToken"/>.</param>
    /// <exception cref="NotSupportedException">A token is not the last parameter.</exception>
    internal HostFunction(
        string name, GuestValueType resultType, HostFunctionBody body, params ReadOnlySpan<GuestValueType?> parameters)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        UnicodeText.ThrowIfInvalid(name);
        Name = name;
        IsPrint = name == PrintFunction.Name;
        ResultType = resultType;
        _body = body;
        int passed = parameters is [.., null] ? parameters.Length - 1 : parameters.Length;
        _parameterTypes = new GuestValueType[passed];
        for (int i = 0; i < passed; i++)
        {
            _parameterTypes[i] = parameters[i]
                ?? throw new NotSupportedException($"A {nameof(CancellationToken)} must be the last parameter of host function '{name}'.");
        }
    }

    /// <param name="name">The name by which the guest calls it.</param>
    /// <param name="parameterTypes">The types of its parameters.</param>
    /// <param name="resultType">The type of its result.</param>
    /// <param name="body">What calls the delegate.</param>
    /// <exception cref="ArgumentException">One of the types is invalid.</exception>
    internal HostFunction(
        string name, ReadOnlySpan<GuestValueType> parameterTypes, GuestValueType resultType, HostFunctionBody body)
        : this(name, resultType, body)
    {
        foreach (GuestValueType type in parameterTypes)
        {
            if (type == GuestValueType.Void || !Enum.IsDefined(type))
            {
                throw new ArgumentException($"A parameter of host function '{name}' cannot have the type {type}.", nameof(parameterTypes));
            }
        }

        if (!Enum.IsDefined(resultType))
        {
            throw new ArgumentException($"The result of host function '{name}' cannot have the type {resultType}.", nameof(resultType));
        }

        _parameterTypes = parameterTypes.ToArray();
    }

    /// <summary>The name by which the guest calls it.</summary>
    public string Name { get; }

    /// <summary>
    /// The types of the parameters that the guest passes, in order, without a <see cref="CancellationToken"/>.
    /// </summary>
    public IReadOnlyList<GuestValueType> ParameterTypes => _parameterTypes;

    /// <summary>The type of its result; <see cref="GuestValueType.Void"/> if it has none.</summary>
    public GuestValueType ResultType { get; }

    internal ReadOnlySpan<GuestValueType> Parameters => _parameterTypes;

    /// <summary>Whether the guest prints with it. The application may have replaced the function.</summary>
    internal bool IsPrint { get; }

    /// <summary>Whether the function returns a task.</summary>
    internal bool IsAsynchronous { get; init; }

    /// <summary>Reads the arguments, calls the delegate and sends its result. Called by <see cref="HostCallContext"/>.</summary>
    internal void Execute(ref HostFunctionFrame frame)
    {
        // A function that came back to the context of the caller would wait for a thread that waits for the function.
        SynchronizationContext? context = IsAsynchronous ? SynchronizationContext.Current : null;
        if (context is null)
        {
            _body(ref frame);
            return;
        }

        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            _body(ref frame);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>The signature, as in <c>Int Add(Int, Int)</c>.</summary>
    public override string ToString() => $"{ResultType} {Name}({string.Join(", ", _parameterTypes)})";
}

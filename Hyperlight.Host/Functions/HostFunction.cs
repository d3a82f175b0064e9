using Hyperlight.Host.Functions;
using Hyperlight.Host.Wire;

namespace Hyperlight;

/// <summary>
/// A function of the host that a guest may call. Made by
/// <see cref="HostFunctionExtensions"/>; the guest reaches nothing of the host but these.
/// </summary>
public sealed class HostFunction
{
    private readonly GuestValueType[] _parameterTypes;
    private readonly HostFunctionBody _body;

    internal HostFunction(string name, GuestValueType resultType, HostFunctionBody body, params GuestValueType[] parameterTypes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        UnicodeText.ThrowIfInvalid(name);
        Name = name;
        ResultType = resultType;
        _body = body;
        _parameterTypes = parameterTypes;
    }

    /// <summary>The name by which the guest calls it.</summary>
    public string Name { get; }

    /// <summary>The types of its parameters, in order.</summary>
    public IReadOnlyList<GuestValueType> ParameterTypes => _parameterTypes;

    /// <summary>The type of its result; <see cref="GuestValueType.Void"/> if it has none.</summary>
    public GuestValueType ResultType { get; }

    internal ReadOnlySpan<GuestValueType> Parameters => _parameterTypes;

    internal void Invoke(ref HostFunctionFrame frame) => _body(ref frame);

    /// <summary>The signature, as in <c>Int Add(Int, Int)</c>.</summary>
    public override string ToString() => $"{ResultType} {Name}({string.Join(", ", _parameterTypes)})";
}

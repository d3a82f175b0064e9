namespace Hyperlight.Host.Snapshots;

/// <summary>A host function that a snapshot's guest may call.</summary>
internal sealed record HostFunctionSignature(string Name, GuestValueType ResultType, IReadOnlyList<GuestValueType> ParameterTypes)
{
    public static HostFunctionSignature Of(HostFunction function) => new(function.Name, function.ResultType, function.ParameterTypes);

    public bool Matches(HostFunction function) =>
        function.ResultType == ResultType && function.ParameterTypes.SequenceEqual(ParameterTypes);

    public override string ToString() => $"{ResultType} {Name}({string.Join(", ", ParameterTypes)})";
}

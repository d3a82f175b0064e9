namespace Hyperlight.Host.Snapshots;

/// <summary>A host function that a snapshot's guest may call.</summary>
internal sealed record HostFunctionSignature(string Name, GuestValueType ResultType, IReadOnlyList<GuestValueType> ParameterTypes)
{
    public static HostFunctionSignature Of(HostFunction function) => new(function.Name, function.ResultType, function.ParameterTypes);

    /// <remarks>By index: this is part of each restore, which allocates nothing.</remarks>
    public bool Matches(HostFunction function)
    {
        ReadOnlySpan<GuestValueType> parameters = function.Parameters;
        if (function.ResultType != ResultType || parameters.Length != ParameterTypes.Count)
        {
            return false;
        }

        for (int i = 0; i < parameters.Length; i++)
        {
            if (parameters[i] != ParameterTypes[i])
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => $"{ResultType} {Name}({string.Join(", ", ParameterTypes)})";
}

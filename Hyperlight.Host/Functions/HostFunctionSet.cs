namespace Hyperlight.Host.Functions;

/// <summary>
/// Host functions by name. It never changes, so that the sandboxes of a builder share one, and any thread can look for a function: where one
/// is added or removed, there is another set.
/// </summary>
internal sealed class HostFunctionSet
{
    private readonly Dictionary<string, HostFunction> _functions;
    private readonly Dictionary<string, HostFunction>.AlternateLookup<ReadOnlySpan<char>> _byCharacters;

    private HostFunctionSet(Dictionary<string, HostFunction> functions)
    {
        _functions = functions;
        _byCharacters = functions.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>No functions.</summary>
    public static HostFunctionSet Empty { get; } = new(new Dictionary<string, HostFunction>(StringComparer.Ordinal));

    /// <summary>The functions, in no order.</summary>
    public IReadOnlyCollection<HostFunction> Functions => _functions.Values;

    /// <summary>The function of a name, or <see langword="null"/>.</summary>
    public HostFunction? Find(string name) => _functions.GetValueOrDefault(name);

    /// <inheritdoc cref="Find(string)"/>
    public HostFunction? Find(ReadOnlySpan<char> name) => _byCharacters.TryGetValue(name, out HostFunction? function) ? function : null;

    /// <summary>A set that has a further function, in the place of the one of its name.</summary>
    public HostFunctionSet With(HostFunction function) =>
        new(new Dictionary<string, HostFunction>(_functions, StringComparer.Ordinal) { [function.Name] = function });

    /// <summary>A set that has a function unless there is one of its name.</summary>
    public HostFunctionSet WithDefault(HostFunction function) => _functions.ContainsKey(function.Name) ? this : With(function);

    /// <summary>A set without the function of a name.</summary>
    public HostFunctionSet Without(string name)
    {
        var functions = new Dictionary<string, HostFunction>(_functions, StringComparer.Ordinal);
        functions.Remove(name);
        return new HostFunctionSet(functions);
    }
}

using Hyperlight.Samples.AspNetFunctions.Functions;

namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>An uploaded guest: its functions, and the pool of its sandboxes.</summary>
internal sealed class FunctionGuest(string name, string digest, int size, IReadOnlyList<Signature>? functions, SandboxPool pool)
    : IAsyncDisposable
{
    private readonly Dictionary<string, Signature>? _functions =
        functions?.ToDictionary(static function => function.Name, StringComparer.Ordinal);

    public string Name => name;

    public string Digest => digest;

    public int Size => size;

    /// <summary>The functions, or <see langword="null"/> if the guest does not list them.</summary>
    public IReadOnlyList<Signature>? Functions => functions;

    public SandboxPool Pool => pool;

    /// <summary>The signature of a function. A caller has to give it if the guest does not list its functions.</summary>
    public Signature Find(string function, Signature? given)
    {
        if (_functions is not null)
        {
            return _functions.TryGetValue(function, out Signature? listed)
                ? listed
                : throw new UnknownFunctionException(function, _functions.Keys);
        }

        if (given is null)
        {
            throw new BadArgumentsException("This guest does not list its functions: add 'signature', such as \"int Add(int left, int right)\".");
        }

        return given.Name == function
            ? given
            : throw new BadArgumentsException($"The signature is that of '{given.Name}', and the address is that of '{function}'.");
    }

    public ValueTask DisposeAsync() => pool.DisposeAsync();
}

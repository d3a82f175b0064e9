using System.Collections.Concurrent;
using System.Text;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Snapshots;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>
/// The host functions of one sandbox, by name. A failure that is the guest's to handle (unknown function, wrong arguments, an
/// exception of the function) becomes an error result; only a malformed message or a result that does not fit ends the run.
/// </summary>
internal sealed class HostFunctionTable
{
    private const int StackNameLength = 128;

    private readonly ConcurrentDictionary<string, HostFunction> _functions;
    private readonly ConcurrentDictionary<string, HostFunction>.AlternateLookup<ReadOnlySpan<char>> _byName;

    public HostFunctionTable(IEnumerable<HostFunction> functions)
    {
        _functions = new ConcurrentDictionary<string, HostFunction>(StringComparer.Ordinal);
        _byName = _functions.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (HostFunction function in functions)
        {
            Add(function);
        }
    }

    /// <summary>Adds a function; a later one of the same name replaces an earlier one.</summary>
    public void Add(HostFunction function) => _functions[function.Name] = function;

    /// <summary>The function of a name, or <see langword="null"/>.</summary>
    public HostFunction? Find(string name) => _functions.GetValueOrDefault(name);

    /// <summary>The signatures of all functions, in order of their names.</summary>
    public IReadOnlyList<HostFunctionSignature> Signatures() =>
        [.. _functions.Values.OrderBy(static f => f.Name, StringComparer.Ordinal).Select(HostFunctionSignature.Of)];

    /// <summary>Answers the call that the guest has put on the output buffer.</summary>
    /// <returns>The exception that the function threw, if it did.</returns>
    /// <exception cref="GuestProtocolException">The call is malformed.</exception>
    /// <exception cref="MessageTooLargeException">The answer does not fit the input buffer.</exception>
    public Exception? Answer(ReadOnlySpan<byte> message, SharedBuffer input)
    {
        var call = new FunctionCallReader(message);
        if (Find(call.Name) is not { } function)
        {
            string name = FlatTable.DecodeUtf8(call.Name);
            ReturnError(input, name, $"Host function '{name}' is not registered.");
            return null;
        }

        if (CheckArguments(function, call) is { } problem)
        {
            ReturnError(input, function.Name, problem);
            return null;
        }

        var frame = new HostFunctionFrame(call, input, function.Name);
        try
        {
            function.Invoke(ref frame);
            return null;
        }
        catch (Exception exception) when (frame.IsInFunction)
        {
            ReturnError(input, function.Name, $"Host function '{function.Name}' failed: {exception.Message}");
            return exception;
        }
    }

    private static string? CheckArguments(HostFunction function, FunctionCallReader call)
    {
        if (call.ParameterCount != function.Parameters.Length)
        {
            return $"Host function '{function.Name}' takes {function.Parameters.Length} argument(s), but the guest passed {call.ParameterCount}.";
        }

        for (int i = 0; i < call.ParameterCount; i++)
        {
            GuestValueType passed = call.GetParameterType(i);
            if (passed != function.Parameters[i])
            {
                return $"Argument {i} of host function '{function.Name}' is {function.Parameters[i]}, but the guest passed {passed}.";
            }
        }

        return null;
    }

    private static void ReturnError(SharedBuffer input, string name, string message)
    {
        string text = Shorten(message, input.MaximumMessageSize / 2);
        long length = FunctionResultEncoder.EncodeError(default, GuestErrorCode.HostFunctionError, text);
        Span<byte> target = input.Reserve(length, "The error of host function", name, out int start);
        FunctionResultEncoder.EncodeError(target, GuestErrorCode.HostFunctionError, text);
        input.Commit(start, target.Length);
    }

    /// <summary>Keeps an error text small enough for the buffer: a character takes three bytes at most.</summary>
    private static string Shorten(string message, int maxBytes) =>
        message.Length <= maxBytes / 3 ? message : string.Concat(message.AsSpan(0, maxBytes / 3), "...");

    private HostFunction? Find(ReadOnlySpan<byte> utf8Name)
    {
        if (utf8Name.Length > StackNameLength)
        {
            return _functions.GetValueOrDefault(FlatTable.DecodeUtf8(utf8Name));
        }

        // UTF-16 never has more code units than UTF-8 has bytes, so the name fits and no string is made of it.
        Span<char> name = stackalloc char[StackNameLength];
        return Encoding.UTF8.TryGetChars(utf8Name, name, out int length) && _byName.TryGetValue(name[..length], out HostFunction? function)
            ? function
            : null;
    }
}

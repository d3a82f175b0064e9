using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>
/// A function of the application that a program can call, through <c>/dev/hyperlight/call</c>: JSON in, JSON out. The program is not
/// trusted: a tool must check its arguments, and a program can call it as often as it likes. Immutable.
/// </summary>
public sealed class ProgramTool
{
    /// <summary>The largest number of bytes of a request, and of an answer: 1 MiB. Larger ones are an error for the program.</summary>
    public const int MaximumBytes = 0x10_0000;

    private const int MaximumNameLength = 128;

    private ProgramTool(string name, Func<JsonElement, Utf8JsonWriter, CancellationToken, ValueTask> invoke)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, MaximumNameLength, nameof(name));
        Name = name;
        Invoke = invoke;
    }

    /// <summary>The name by which programs call it.</summary>
    public string Name { get; }

    /// <summary>Calls the function with the arguments of a request, and writes its result.</summary>
    internal Func<JsonElement, Utf8JsonWriter, CancellationToken, ValueTask> Invoke { get; }

    /// <summary>Creates a tool of a function. A program waits for it, and a thread does: use an asynchronous one for what takes long.</summary>
    /// <param name="name">The name: 1 to 128 characters. Upper and lower case matter.</param>
    /// <param name="function">
    /// Gets the arguments: what the program has sent, or an empty object. A <see cref="ProgramToolException"/> is an error for the program
    /// with this message; other exceptions are an error without their text, and are logged.
    /// </param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public static ProgramTool Create(string name, Func<JsonElement, JsonElement> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new ProgramTool(name, (arguments, writer, _) =>
        {
            function(arguments).WriteTo(writer);
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Creates a tool of an asynchronous function. A program waits for it, but no thread does.</summary>
    /// <param name="name">The name: 1 to 128 characters. Upper and lower case matter.</param>
    /// <param name="function">As for a synchronous function. Its token is cancelled when the run of the program ends.</param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public static ProgramTool Create(string name, Func<JsonElement, CancellationToken, ValueTask<JsonElement>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new ProgramTool(
            name,
            async (arguments, writer, token) => (await function(arguments, token).ConfigureAwait(false)).WriteTo(writer));
    }

    /// <summary>Creates a tool of a function with typed arguments, which works without reflection.</summary>
    /// <param name="name">The name: 1 to 128 characters. Upper and lower case matter.</param>
    /// <param name="argumentsType">How the arguments are read. Arguments that do not fit, and <c>null</c>, are an error for the program.</param>
    /// <param name="resultType">How the result is written.</param>
    /// <param name="function">As for <see cref="Create(string, Func{JsonElement, JsonElement})"/>.</param>
    /// <typeparam name="TArguments">The type of the arguments, an object in most cases.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public static ProgramTool Create<TArguments, TResult>(
        string name, JsonTypeInfo<TArguments> argumentsType, JsonTypeInfo<TResult> resultType, Func<TArguments, TResult> function)
    {
        ArgumentNullException.ThrowIfNull(argumentsType);
        ArgumentNullException.ThrowIfNull(resultType);
        ArgumentNullException.ThrowIfNull(function);
        return new ProgramTool(name, (arguments, writer, _) =>
        {
            JsonSerializer.Serialize(writer, function(Read(arguments, argumentsType)), resultType);
            return ValueTask.CompletedTask;
        });
    }

    /// <summary>Creates a tool of an asynchronous function with typed arguments, which works without reflection.</summary>
    /// <param name="name">The name: 1 to 128 characters. Upper and lower case matter.</param>
    /// <param name="argumentsType">How the arguments are read. Arguments that do not fit, and <c>null</c>, are an error for the program.</param>
    /// <param name="resultType">How the result is written.</param>
    /// <param name="function">As for <see cref="Create(string, Func{JsonElement, CancellationToken, ValueTask{JsonElement}})"/>.</param>
    /// <typeparam name="TArguments">The type of the arguments, an object in most cases.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public static ProgramTool Create<TArguments, TResult>(
        string name,
        JsonTypeInfo<TArguments> argumentsType,
        JsonTypeInfo<TResult> resultType,
        Func<TArguments, CancellationToken, ValueTask<TResult>> function)
    {
        ArgumentNullException.ThrowIfNull(argumentsType);
        ArgumentNullException.ThrowIfNull(resultType);
        ArgumentNullException.ThrowIfNull(function);
        return new ProgramTool(name, async (arguments, writer, token) =>
        {
            TResult result = await function(Read(arguments, argumentsType), token).ConfigureAwait(false);
            JsonSerializer.Serialize(writer, result, resultType);
        });
    }

    private static T Read<T>(JsonElement arguments, JsonTypeInfo<T> type)
    {
        try
        {
            return arguments.Deserialize(type) ?? throw new ToolArgumentsException("$");
        }
        catch (JsonException exception)
        {
            // Its message has names of types.
            throw new ToolArgumentsException(exception.Path ?? "$");
        }
    }
}

using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hyperlight.Plugins;

/// <summary>A request that a plugin has received, and its answer. For generated code.</summary>
public sealed class PluginRequest : IDisposable
{
    private readonly JsonDocument _document;
    private readonly JsonElement _arguments;
    private readonly ArrayBufferWriter<byte> _result = new();

    /// <exception cref="JsonException">The line is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A member is missing, or has another type.</exception>
    internal PluginRequest(ReadOnlyMemory<byte> line)
    {
        _document = JsonDocument.Parse(line);
        try
        {
            JsonElement root = _document.RootElement;
            Id = root.GetProperty(PluginProtocol.Id.EncodedUtf8Bytes).GetInt64();
            Method = root.GetProperty(PluginProtocol.Method.EncodedUtf8Bytes).GetString()!;
            _arguments = root.GetProperty(PluginProtocol.Arguments.EncodedUtf8Bytes);
        }
        catch
        {
            _document.Dispose();
            throw;
        }
    }

    /// <summary>The name of the method that is called.</summary>
    public string Method { get; }

    internal long Id { get; }

    /// <summary>Reads an argument.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="index">Which one, from 0.</param>
    /// <param name="type">How it is read.</param>
    /// <returns>Its value.</returns>
    public T Argument<T>(int index, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(_arguments[index], type)!;

    /// <summary>Sets the result.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="value">The result.</param>
    /// <param name="type">How it is written.</param>
    public void Answer<T>(T value, JsonTypeInfo<T> type)
    {
        using var writer = new Utf8JsonWriter(_result);
        JsonSerializer.Serialize(writer, value, type);
    }

    /// <summary>What a dispatcher throws that does not have the method.</summary>
    /// <returns>The exception.</returns>
    public MissingMethodException UnknownMethod() => new($"The plugin has no method '{Method}'.");

    /// <summary>Releases the buffers.</summary>
    public void Dispose() => _document.Dispose();

    /// <summary>The answer as a line, without the end of the line.</summary>
    internal ReadOnlyMemory<byte> ToAnswer(Exception? error)
    {
        var buffer = new ArrayBufferWriter<byte>(_result.WrittenCount + 64);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteNumber(PluginProtocol.Id, Id);
        if (error is not null)
        {
            writer.WriteStartObject(PluginProtocol.Error);
            writer.WriteString(PluginProtocol.Type, error.GetType().FullName);
            writer.WriteString(PluginProtocol.Message, error.Message);
            writer.WriteEndObject();
        }
        else if (_result.WrittenCount > 0)
        {
            writer.WritePropertyName(PluginProtocol.Result);
            writer.WriteRawValue(_result.WrittenSpan, skipInputValidation: true);
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}

using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hyperlight.Plugins;

/// <summary>A call while its arguments are added. For generated code.</summary>
public sealed class PluginCall
{
    private readonly ArrayBufferWriter<byte> _arguments = new();

    /// <summary>Begins a call.</summary>
    /// <param name="method">The name of the method.</param>
    public PluginCall(string method)
    {
        ArgumentNullException.ThrowIfNull(method);
        Method = method;
    }

    /// <summary>The name of the method.</summary>
    public string Method { get; }

    /// <summary>Adds the next argument.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="value">Its value.</param>
    /// <param name="type">How it is written.</param>
    public void Add<T>(T value, JsonTypeInfo<T> type)
    {
        _arguments.Write(_arguments.WrittenCount == 0 ? "["u8 : ","u8);
        using var writer = new Utf8JsonWriter(_arguments);
        JsonSerializer.Serialize(writer, value, type);
    }

    /// <summary>The request as a line, without the end of the line.</summary>
    internal ReadOnlyMemory<byte> ToRequest(long id)
    {
        _arguments.Write(_arguments.WrittenCount == 0 ? "[]"u8 : "]"u8);
        var buffer = new ArrayBufferWriter<byte>(_arguments.WrittenCount + 64);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteNumber(PluginProtocol.Id, id);
        writer.WriteString(PluginProtocol.Method, Method);
        writer.WritePropertyName(PluginProtocol.Arguments);
        writer.WriteRawValue(_arguments.WrittenSpan, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}

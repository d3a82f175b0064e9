using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Plugins;

namespace Hyperlight.Programs;

/// <summary>A plugin's answer to a call. The plugin is not trusted: everything is checked.</summary>
internal sealed class PluginAnswer : IDisposable
{
    private readonly JsonDocument _document;
    private readonly string _method;

    private PluginAnswer(JsonDocument document, string method)
    {
        _document = document;
        _method = method;
    }

    /// <exception cref="GuestProtocolException">The line is not the answer to the call.</exception>
    public static PluginAnswer Read(ReadOnlyMemory<byte> line, long id, string method)
    {
        JsonDocument document;
        try
        {
            // The line is valid until the next one is read.
            document = JsonDocument.Parse(line.ToArray());
        }
        catch (JsonException exception)
        {
            throw new GuestProtocolException($"The plugin's answer to the call of '{method}' is not JSON.", exception);
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object ||
            !document.RootElement.TryGetProperty(PluginProtocol.Id.EncodedUtf8Bytes, out JsonElement value) ||
            value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long answered) || answered != id)
        {
            document.Dispose();
            throw new GuestProtocolException($"The plugin has not answered the call of '{method}': the answer does not have its number, {id}.");
        }

        return new PluginAnswer(document, method);
    }

    public void ThrowIfError()
    {
        if (_document.RootElement.TryGetProperty(PluginProtocol.Error.EncodedUtf8Bytes, out JsonElement error))
        {
            string type = Text(error, PluginProtocol.Type);
            string message = Text(error, PluginProtocol.Message);
            Dispose();
            throw new PluginException(_method, type, message);
        }
    }

    /// <exception cref="GuestProtocolException">There is no result, or it is not of this type.</exception>
    public TResult Result<TResult>(JsonTypeInfo<TResult> type, bool canBeNull)
    {
        if (!_document.RootElement.TryGetProperty(PluginProtocol.Result.EncodedUtf8Bytes, out JsonElement result))
        {
            throw new GuestProtocolException($"The plugin's answer to the call of '{_method}' has no result.");
        }

        if (result.ValueKind == JsonValueKind.Null && !canBeNull)
        {
            throw new GuestProtocolException($"The result of the plugin's method '{_method}' is null.");
        }

        try
        {
            return result.Deserialize(type)!;
        }
        catch (JsonException exception)
        {
            throw new GuestProtocolException($"The result of the plugin's method '{_method}' is not a '{typeof(TResult)}'.", exception);
        }
    }

    public void Dispose() => _document.Dispose();

    private static string Text(JsonElement error, JsonEncodedText name)
    {
        if (error.ValueKind != JsonValueKind.Object || !error.TryGetProperty(name.EncodedUtf8Bytes, out JsonElement text) ||
            text.ValueKind != JsonValueKind.String)
        {
            return "";
        }

        try
        {
            return ProgramImageException.Printable(text.GetString()!);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return "(not text)";
        }
    }
}

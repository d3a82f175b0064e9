using System.Text.Json;
using System.Text.Unicode;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Checks what the grammar of JSON allows and no document of a saved snapshot has: text that is not Unicode, which can be
/// read as part of a document but not be written again, and lists with missing elements.
/// </summary>
internal static class JsonText
{
    /// <exception cref="JsonException">The text is not JSON, or has something that no document has.</exception>
    public static void Check(ReadOnlySpan<byte> content)
    {
        if (!Utf8.IsValid(content))
        {
            throw new JsonException("It is not UTF-8 text.");
        }

        var reader = new Utf8JsonReader(content);
        var containers = new Stack<JsonTokenType>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    containers.Push(reader.TokenType);
                    break;

                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    containers.Pop();
                    break;

                case JsonTokenType.Null when containers.TryPeek(out JsonTokenType container) && container == JsonTokenType.StartArray:
                    throw new JsonException($"An element of a list is null, at byte {reader.TokenStartIndex}.");

                case JsonTokenType.String or JsonTokenType.PropertyName when reader.ValueIsEscaped:
                    CheckEscapes(ref reader);
                    break;

                default:
                    break;
            }
        }
    }

    private static void CheckEscapes(ref Utf8JsonReader reader)
    {
        try
        {
            reader.GetString();
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException($"A text has half of a surrogate pair, at byte {reader.TokenStartIndex}.", exception);
        }
    }
}

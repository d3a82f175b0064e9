using System.Text.Json;
using System.Text.Unicode;

namespace Hyperlight.Programs.Tools;

/// <summary>A line that a program has written: <c>{"name": "add", "arguments": {"a": 1}}</c>.</summary>
internal readonly record struct ToolRequest(string Name, JsonElement Arguments)
{
    // Which of two properties counts would depend on the parser.
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };
    private static readonly JsonElement NoArguments = JsonElement.Parse("{}");

    /// <summary>Reads a request.</summary>
    /// <returns>What is wrong with it, as a message for the program; <see langword="null"/> if nothing is.</returns>
    public static string? TryParse(ReadOnlySpan<byte> line, out ToolRequest request)
    {
        request = default;
        // The parser looks at strings when they are used.
        if (!Utf8.IsValid(line))
        {
            return "The request is not valid UTF-8.";
        }

        JsonElement root;
        try
        {
            root = JsonElement.Parse(line, Options);
        }
        catch (JsonException)
        {
            return "The request is not valid JSON, is nested too deeply, or has a property twice.";
        }

        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out JsonElement name)
            || name.ValueKind != JsonValueKind.String || TextOf(name) is not { } text)
        {
            return "The request must be an object with the property 'name', a string.";
        }

        request = new ToolRequest(text, root.TryGetProperty("arguments", out JsonElement arguments) ? arguments : NoArguments);
        return null;
    }

    /// <summary>The string, or <see langword="null"/> if it has half of a surrogate pair.</summary>
    private static string? TextOf(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

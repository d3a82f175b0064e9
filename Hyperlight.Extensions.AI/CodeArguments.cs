using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Hyperlight.Extensions.AI;

/// <summary>The arguments with which a model calls the function. They may be anything.</summary>
internal static class CodeArguments
{
    public const string Code = "code";
    public const string Files = "files";
    public const string Path = "path";
    public const string Text = "text";
    public const string Base64 = "base64";

    /// <summary>Reads the arguments.</summary>
    /// <returns>What is wrong, for the model; <see langword="null"/> if nothing is.</returns>
    public static string? TryParse(AIFunctionArguments arguments, out CodeExecutionRequest? request)
    {
        request = null;
        if (!arguments.TryGetValue(Code, out object? code) || !TryGetText(code, out string? text))
        {
            return $"'{Code}' must be a string.";
        }

        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        if (arguments.TryGetValue(Files, out object? value) && value is not null && AddFiles(value, files) is { } problem)
        {
            return problem;
        }

        request = new CodeExecutionRequest { Code = text, Files = files };
        return null;
    }

    private static bool TryGetText(object? value, [NotNullWhen(true)] out string? text)
    {
        text = value switch
        {
            string given => given,
            JsonElement { ValueKind: JsonValueKind.String } element => TextOf(element),
            JsonValue node when node.TryGetValue(out string? given) => given,
            _ => null,
        };
        return text is not null;
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

    private static string? AddFiles(object value, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        if (value is JsonNode node)
        {
            value = JsonElement.Parse(node.ToJsonString());
        }

        if (value is not JsonElement { ValueKind: JsonValueKind.Array or JsonValueKind.Null } list)
        {
            return $"'{Files}' must be an array.";
        }

        if (list.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        foreach (JsonElement file in list.EnumerateArray())
        {
            if (AddFile(file, files) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static string? AddFile(JsonElement file, Dictionary<string, ReadOnlyMemory<byte>> files)
    {
        if (file.ValueKind != JsonValueKind.Object || Property(file, Path) is not { } path)
        {
            return $"A file must be an object with '{Path}', a string.";
        }

        if (!CodePaths.IsRelative(path))
        {
            return "The path of a file must be relative, without '.' and '..'.";
        }

        byte[]? content = Property(file, Text) is { } text ? Encoding.UTF8.GetBytes(text) : BytesOf(file);
        if (content is null)
        {
            return $"A file must have '{Text}', a string, or '{Base64}'.";
        }

        return files.TryAdd(path, content) ? null : "Two files have the same path.";
    }

    private static string? Property(JsonElement file, string name) =>
        file.TryGetProperty(name, out JsonElement value) && TryGetText(value, out string? text) ? text : null;

    private static byte[]? BytesOf(JsonElement file) =>
        file.TryGetProperty(Base64, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out byte[]? bytes)
            ? bytes
            : null;
}

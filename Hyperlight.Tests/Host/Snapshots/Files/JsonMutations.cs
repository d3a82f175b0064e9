using System.Text;
using System.Text.Json.Nodes;

namespace Hyperlight.Tests.Host.Snapshots.Files;

/// <summary>
/// Changes one document in every place in every way that the grammar of JSON allows, and some that it does not. Texts are
/// written here, because a document with a member twice, or half of a surrogate pair, is nothing that a library writes.
/// </summary>
internal static class JsonMutations
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "18446744073709551616", "123456789012345678901234567890", "\"\"", "\"text\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "[]", "{}", "[null]", "{\"\\ud800\":null}", "nonsense", "",
        string.Concat(Enumerable.Repeat("[", 100)) + string.Concat(Enumerable.Repeat("]", 100)),
        string.Concat(Enumerable.Repeat("{\"a\":", 63)) + "1" + new string('}', 63),
    ];

    /// <summary>Every change of a document, and what it is.</summary>
    /// <param name="document">The document, which is not changed.</param>
    /// <param name="skip">Members, by name, whose content is of the same kind as that of others.</param>
    public static IEnumerable<(string What, string Text)> Of(JsonNode document, params string[] skip)
    {
        var nodes = new List<JsonNode>();
        Collect(document, nodes, skip);
        foreach (JsonNode node in nodes)
        {
            foreach (string value in Values)
            {
                yield return ($"{node.GetPath()} is {Short(value)}", Write(document, node, Change.Replace, value));
                if (node is JsonObject or JsonArray)
                {
                    yield return ($"{node.GetPath()} has more: {Short(value)}", Write(document, node, Change.Extend, value));
                }
            }

            if (node.Parent is not null)
            {
                yield return ($"{node.GetPath()} is missing", Write(document, node, Change.Remove, ""));
                yield return ($"{node.GetPath()} is there twice", Write(document, node, Change.Repeat, ""));
            }
        }
    }

    private static string Short(string value) => value.Length > 40 ? value[..10] + "..." : value;

    private static void Collect(JsonNode? node, List<JsonNode> nodes, string[] skip)
    {
        if (node is null)
        {
            return;
        }

        nodes.Add(node);
        if (node is JsonObject members)
        {
            foreach ((string name, JsonNode? value) in members)
            {
                if (!skip.Contains(name))
                {
                    Collect(value, nodes, skip);
                }
            }
        }
        else if (node is JsonArray elements)
        {
            foreach (JsonNode? element in elements)
            {
                Collect(element, nodes, skip);
            }
        }
    }

    private static string Write(JsonNode document, JsonNode target, Change change, string value)
    {
        var text = new StringBuilder();
        Write(text, document, "", target, change, value);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode? node, string name, JsonNode target, Change change, string value)
    {
        bool isTarget = ReferenceEquals(node, target);
        text.Append(name);
        if (isTarget && change == Change.Replace)
        {
            text.Append(value);
            return;
        }

        if (node is not (JsonObject or JsonArray))
        {
            text.Append(node?.ToJsonString() ?? "null");
            return;
        }

        var parts = new List<string>();
        IEnumerable<(string Name, JsonNode? Node)> children = node is JsonObject members
            ? members.Select(m => ($"{JsonValue.Create(m.Key).ToJsonString()}:", m.Value))
            : node.AsArray().Select(e => ("", e));
        foreach ((string childName, JsonNode? child) in children)
        {
            int copies = !ReferenceEquals(child, target) ? 1 : change switch { Change.Remove => 0, Change.Repeat => 2, _ => 1 };
            for (int i = 0; i < copies; i++)
            {
                var part = new StringBuilder();
                Write(part, child, childName, target, change, value);
                parts.Add(part.ToString());
            }
        }

        if (isTarget && change == Change.Extend)
        {
            parts.Add(node is JsonObject ? $"\"further\":{value}" : value);
        }

        text.Append(node is JsonObject ? '{' : '[').AppendJoin(',', parts).Append(node is JsonObject ? '}' : ']');
    }

    private enum Change
    {
        Replace,
        Extend,
        Remove,
        Repeat,
    }
}

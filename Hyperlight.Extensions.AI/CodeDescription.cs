using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hyperlight.Extensions.AI;

/// <summary>What a model reads about the function.</summary>
internal static class CodeDescription
{
    public static string Of(CodeExecutionOptions options)
    {
        var text = new StringBuilder(options.Description);
        text.Append(" Files that the code leaves in ").Append(options.FilesDirectory).Append(" are in the result.");
        if (options.Tools.Count != 0)
        {
            text.Append(
                "\nThe code can call tools: it opens /dev/hyperlight/call for reading and writing, without a buffer, writes a line of JSON, "
                + "{\"name\": NAME, \"arguments\": OBJECT}, and reads a line, {\"result\": VALUE} or {\"error\": {\"code\": CODE, \"message\": TEXT}}. The tools:");
            foreach (AIFunction tool in options.Tools)
            {
                text.Append("\n- ").Append(tool.Name).Append(": ").Append(tool.Description).Append(" Arguments: ").Append(tool.JsonSchema.GetRawText());
            }
        }

        return text.ToString();
    }

    /// <summary>A string as JSON.</summary>
    public static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}

using System.Buffers;
using System.Text.Json;

namespace Hyperlight.Programs.Tools;

/// <summary>The lines that a program reads: <c>{"result": 3}</c> or <c>{"error": {"code": "failed", "message": "..."}}</c>.</summary>
internal static class ToolAnswer
{
    /// <summary>The answer to an error.</summary>
    public static ReadOnlyMemory<byte> Error(string code, string message)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes);
        writer.WriteStartObject();
        writer.WriteStartObject("error");
        writer.WriteString("code", code);
        writer.WriteString("message", message);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenCount <= ProgramTool.MaximumBytes ? bytes.WrittenMemory : TooLarge();
    }

    /// <summary>Calls a tool. The answer is its result.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ResultAsync(ProgramTool tool, JsonElement arguments, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        await using var writer = new Utf8JsonWriter(bytes);
        writer.WriteStartObject();
        writer.WritePropertyName("result");
        await tool.Invoke(arguments, writer, cancellationToken).ConfigureAwait(false);
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        return bytes.WrittenCount <= ProgramTool.MaximumBytes ? OneLine(bytes.WrittenMemory) : TooLarge();
    }

    private static ReadOnlyMemory<byte> TooLarge() =>
        Error(ToolError.TooLarge, $"The answer has more than {ProgramTool.MaximumBytes} bytes.");

    /// <summary>A converter may have written JSON of its own with ends of lines, which are white space there.</summary>
    private static ReadOnlyMemory<byte> OneLine(ReadOnlyMemory<byte> json)
    {
        if (!json.Span.Contains((byte)'\n'))
        {
            return json;
        }

        byte[] line = json.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        return line;
    }
}

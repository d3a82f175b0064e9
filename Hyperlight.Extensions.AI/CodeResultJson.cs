using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Hyperlight.Programs;

namespace Hyperlight.Extensions.AI;

/// <summary>A result as a model gets it.</summary>
internal static class CodeResultJson
{
    /// <summary>Nothing was executed.</summary>
    public static JsonElement Refusal(string status, string message) => Write(writer =>
    {
        writer.WriteString("status", status);
        writer.WriteString("message", message);
    });

    public static JsonElement Of(CodeExecutionResult result, int maximumFileBytes) => Write(writer =>
    {
        writer.WriteString("status", StatusOf(result.Program.End));
        writer.WriteNumber("exit_code", result.Program.ExitCode);
        writer.WriteString("output", result.Output);
        writer.WriteString("error", result.Error);
        if (result.IsTruncated || result.Program.IsFileLimitReached)
        {
            writer.WriteBoolean("truncated", true);
        }

        WriteFiles(writer, result.Files, maximumFileBytes);
    });

    private static void WriteFiles(Utf8JsonWriter writer, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, int maximumBytes)
    {
        if (files.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("files");
        foreach ((string path, ReadOnlyMemory<byte> content) in files.OrderBy(static file => file.Key, StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("path", path);
            writer.WriteNumber("size", content.Length);
            if (content.Length <= maximumBytes)
            {
                maximumBytes -= content.Length;
                WriteContent(writer, content.Span);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteContent(Utf8JsonWriter writer, ReadOnlySpan<byte> content)
    {
        if (Utf8.IsValid(content) && !content.Contains((byte)0))
        {
            writer.WriteString("text", content);
        }
        else
        {
            writer.WriteBase64String("base64", content);
        }
    }

    private static string StatusOf(ProgramEnd end) => end switch
    {
        ProgramEnd.Exited => "exited",
        ProgramEnd.Signaled => "signaled",
        ProgramEnd.MemoryLimit => "memory_limit",
        ProgramEnd.OutputLimit => "output_limit",
        ProgramEnd.TimeLimit => "time_limit",
        ProgramEnd.CpuTimeLimit => "cpu_time_limit",
        ProgramEnd.InstructionLimit => "instruction_limit",
        ProgramEnd.SystemCallLimit => "system_call_limit",
        _ => "deadlock",
    };

    private static JsonElement Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return JsonElement.Parse(bytes.WrittenSpan);
    }
}

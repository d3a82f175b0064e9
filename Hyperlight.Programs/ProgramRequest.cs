using System.Buffers.Binary;
using System.Text;
using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>The argument of the kernel's functions RunProgram and ContinueProgram: what a program starts or continues with.</summary>
internal static class ProgramRequest
{
    /// <summary>The largest number of bytes of all arguments, environment variables and the two paths, with a zero for each.</summary>
    public const int MaximumStrings = 0x2_0000;

    private const int SeedOffset = sizeof(ulong);
    private const int SeedSize = 32;
    private const int ArgumentsOffset = SeedOffset + SeedSize;
    private const int VariablesOffset = ArgumentsOffset + sizeof(uint);
    private const int CheckpointOffset = VariablesOffset + sizeof(uint);
    private const int RunArgumentsOffset = CheckpointOffset + sizeof(uint);
    private const int RunVariablesOffset = RunArgumentsOffset + sizeof(uint);
    private const int ThreadsOffset = RunVariablesOffset + sizeof(uint);
    private const int ProcessesOffset = ThreadsOffset + sizeof(uint);
    private const int TimerOffset = ProcessesOffset + sizeof(uint);
    private const int SystemCallsOffset = TimerOffset + sizeof(uint);
    private const int WallClockOffset = SystemCallsOffset + sizeof(ulong);
    private const int HeaderSize = WallClockOffset + sizeof(long);

    /// <summary>The request of a run.</summary>
    /// <param name="template">What runs.</param>
    /// <param name="input">What the program gets.</param>
    /// <exception cref="ArgumentException">
    /// A string contains a zero or is not valid Unicode, or there are too many; two tools have one name; the input has a seed, and the template
    /// has none.
    /// </exception>
    public static byte[] Create(ProgramTemplate template, ProgramInput input) => Create(template, input, isWarmUp: false);

    /// <summary>The request of the way to the checkpoint, which is limited by its time alone.</summary>
    /// <inheritdoc cref="Create(ProgramTemplate, ProgramInput)"/>
    public static byte[] CreateForWarmUp(ProgramTemplate template) =>
        Create(template with { Limits = template.Limits with { SystemCalls = null } }, ProgramInput.Empty, isWarmUp: true);

    /// <summary>A request without its random bytes: the same each time that it is made of the same.</summary>
    /// <param name="request">The request.</param>
    /// <param name="template">What it was made of. With a seed, nothing is left to chance.</param>
    public static byte[] WithoutChance(byte[] request, ProgramTemplate template)
    {
        byte[] result = [.. request];
        if (template.Seed is null)
        {
            result.AsSpan(SeedOffset, SeedSize).Clear();
        }

        return result;
    }

    /// <summary>Has the kernel set the timer that interrupts programs. Without it, none does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="period">The time between two interrupts.</param>
    public static void SetTimer(byte[] request, TimeSpan period) =>
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(TimerOffset), (int)period.TotalMicroseconds);

    /// <summary>The path of the executable in the image.</summary>
    /// <exception cref="ArgumentException">The template does not say which it is.</exception>
    public static string ExecutableOf(ProgramTemplate template) =>
        template.Executable ?? template.Image.Executable ?? (template.Command.Count != 0
            ? template.Command[0]
            : throw new ArgumentException("The image has several files: the template must have a command or an executable.", nameof(template)));

    private static byte[] Create(ProgramTemplate template, ProgramInput input, bool isWarmUp)
    {
        RunFiles.Check(input);
        HostDirectories.Check(template.Directories);
        ToolCalls.Check(template.Tools);
        ToolCalls.Check(input.Tools);
        string executable = ExecutableOf(template);
        List<string> arguments = [.. template.Command.Count != 0 ? template.Command : [executable], .. input.Arguments];
        List<string> environment = EnvironmentOf(template, input);
        List<string> variables = [.. input.Environment.Select(TextOf)];

        using var strings = new MemoryStream();
        foreach (string text in arguments.Concat(environment).Concat(variables).Prepend(CheckPath(template.WorkingDirectory)).Prepend(CheckPath(executable)))
        {
            Append(strings, text);
        }

        var request = new byte[HeaderSize + strings.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(request, (ulong)template.Limits.Memory);
        ProgramSeed.Fill(request.AsSpan(SeedOffset, SeedSize), template, input, isWarmUp);
        WriteWord(request, ArgumentsOffset, arguments.Count);
        WriteWord(request, VariablesOffset, environment.Count);
        WriteWord(request, CheckpointOffset, (int)template.Checkpoint);
        WriteWord(request, RunArgumentsOffset, input.Arguments.Count);
        WriteWord(request, RunVariablesOffset, variables.Count);
        WriteWord(request, ThreadsOffset, template.Limits.Threads);
        WriteWord(request, ProcessesOffset, template.Limits.Processes);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(SystemCallsOffset), (ulong?)template.Limits.SystemCalls ?? ulong.MaxValue);
        BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(WallClockOffset), ProgramSeed.WallClock(template));
        strings.GetBuffer().AsSpan(0, (int)strings.Length).CopyTo(request.AsSpan(HeaderSize));
        return request;
    }

    /// <summary>The variables of the template in their order, with the values of the run, then those that only the run has.</summary>
    private static List<string> EnvironmentOf(ProgramTemplate template, ProgramInput input)
    {
        KeyValuePair<string, string>[] added = [.. input.Environment.Where(variable => !template.Environment.ContainsKey(variable.Key))];
        if (added.Length > 0 && template.Checkpoint == ProgramCheckpoint.EntryPoint)
        {
            throw new ArgumentException(
                $"The environment variable '{ProgramImageException.Printable(added[0].Key)}' is not one of the template's, which a program that starts at its entry point has already.", nameof(input));
        }

        IEnumerable<KeyValuePair<string, string>> replaced = template.Environment.Select(variable =>
            KeyValuePair.Create(variable.Key, input.Environment.TryGetValue(variable.Key, out string? value) ? value : variable.Value));
        return [.. replaced.Concat(added).Select(TextOf)];
    }

    private static string TextOf(KeyValuePair<string, string> variable) => $"{CheckName(variable.Key)}={variable.Value}";

    private static void WriteWord(byte[] request, int offset, int value) =>
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(offset), value);

    private static string CheckPath(string path) => path.StartsWith('/')
        ? path
        : throw new ArgumentException($"'{path}' is not an absolute path in the image.");

    private static string CheckName(string name) => name.Length != 0 && !name.Contains('=', StringComparison.Ordinal)
        ? name
        : throw new ArgumentException($"'{name}' is not the name of an environment variable.");

    private static void Append(MemoryStream strings, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("An argument or an environment variable contains a zero character.");
        }

        strings.Write(Encoding.UTF8.GetBytes(text));
        strings.WriteByte(0);
        if (strings.Length > MaximumStrings)
        {
            throw new ArgumentException($"The arguments and the environment have more than {MaximumStrings} bytes.");
        }
    }
}

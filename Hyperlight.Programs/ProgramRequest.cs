using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Hyperlight.Programs;

/// <summary>The argument of the kernel's function RunProgram: what a program starts with.</summary>
internal static class ProgramRequest
{
    /// <summary>The largest number of bytes of all arguments, environment variables and the two paths, with a zero for each.</summary>
    public const int MaximumStrings = 0x2_0000;

    private const int SeedSize = 32;
    private const int HeaderSize = sizeof(ulong) + SeedSize + (3 * sizeof(uint));

    /// <exception cref="ArgumentException">A string contains a zero or is not valid Unicode, or there are too many.</exception>
    public static byte[] Create(ProgramTemplate template, ProgramInput input)
    {
        RunFiles.Check(input);
        string executable = ExecutableOf(template);
        List<string> arguments = [.. template.Command.Count != 0 ? template.Command : [executable], .. input.Arguments];
        List<string> environment = [.. template.Environment.Select(static variable => $"{CheckName(variable.Key)}={variable.Value}")];

        using var strings = new MemoryStream();
        foreach (string text in arguments.Concat(environment).Prepend(CheckPath(template.WorkingDirectory)).Prepend(CheckPath(executable)))
        {
            Append(strings, text);
        }

        var request = new byte[HeaderSize + strings.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(request, (ulong)template.Limits.Memory);
        RandomNumberGenerator.Fill(request.AsSpan(sizeof(ulong), SeedSize));
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(HeaderSize - 12), arguments.Count);
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(HeaderSize - 8), environment.Count);
        strings.GetBuffer().AsSpan(0, (int)strings.Length).CopyTo(request.AsSpan(HeaderSize));
        return request;
    }

    /// <summary>Has the kernel set the timer that interrupts programs. Without it, none does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="period">The time between two interrupts.</param>
    public static void SetTimer(byte[] request, TimeSpan period) =>
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(HeaderSize - 4), (int)period.TotalMicroseconds);

    /// <summary>The path of the executable in the image.</summary>
    /// <exception cref="ArgumentException">The template does not say which it is.</exception>
    public static string ExecutableOf(ProgramTemplate template) =>
        template.Executable ?? template.Image.Executable ?? (template.Command.Count != 0
            ? template.Command[0]
            : throw new ArgumentException("The image has several files: the template must have a command or an executable.", nameof(template)));

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

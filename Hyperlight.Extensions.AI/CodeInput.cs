using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Extensions.AI;

/// <summary>What a program gets to execute code.</summary>
internal static class CodeInput
{
    /// <exception cref="ArgumentException">The path of a file cannot be used.</exception>
    public static ProgramInput Create(CodeExecutionRequest request, CodeExecutionOptions options, IServiceProvider? services)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach ((string path, ReadOnlyMemory<byte> content) in request.Files)
        {
            if (!CodePaths.IsRelative(path))
            {
                throw new ArgumentException($"'{path}' is not a relative path without '.' and '..'.", nameof(request));
            }

            files.Add($"{options.FilesDirectory}/{path}", content);
        }

        byte[] code = Encoding.UTF8.GetBytes(request.Code);
        if (options.CodePath is { } codePath)
        {
            files[codePath] = code;
        }

        return new ProgramInput
        {
            StandardInput = options.CodePath is null ? code : default,
            Files = files,
            OutputDirectories = [options.FilesDirectory],
            Tools = [.. options.Tools.Select(tool => tool.AsProgramTool(services))],
        };
    }
}

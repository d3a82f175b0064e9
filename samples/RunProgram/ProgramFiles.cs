using Hyperlight.Programs;

namespace Hyperlight.Samples.RunProgram;

/// <summary>
/// Collects what a program of this machine needs: its executable with the interpreter and the libraries that it names, and what was
/// included by the command line. Each is at the same path for the program; links on the way stay links.
/// </summary>
internal sealed class ProgramFiles
{
    private const int MostLinks = 40;
    private const string LinkerCache = "/etc/ld.so.cache";

    private static readonly EnumerationOptions WithoutLinks = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private readonly Dictionary<string, ProgramFile> _files = [];
    private readonly HashSet<string> _seen = [];

    /// <summary>The image of what a command line names.</summary>
    public static ProgramImage ImageOf(CommandLine line)
    {
        if (line.Root is null && line.Included.Count == 0 && line.ExecutablePath is { } program && IsStatic(program))
        {
            return ProgramImage.FromExecutable(program);
        }

        var files = new ProgramFiles();
        foreach (string path in line.Included)
        {
            files.Add(Path.GetFullPath(path));
        }

        if (line.Root is null && line.ExecutablePath is { } executable)
        {
            files.Add(executable);
            foreach (string path in KnownPrograms.FilesOf(executable, line.Command.Skip(1).Concat(line.RunArguments)))
            {
                files.Add(path);
            }
        }

        return line.Root is null ? ProgramImage.FromFiles(files._files) : ProgramImage.FromDirectory(line.Root).WithFiles(files._files);
    }

    private static bool IsStatic(string path) =>
        File.Exists(path) && ElfDependencies.TryRead(path) is { Interpreter: null, Libraries.Count: 0 };

    private void Add(string path)
    {
        if (!_seen.Add(path))
        {
            return;
        }

        string resolved = AddLinks(path);
        _files[resolved] = ProgramFile.FromPath(resolved);
        if (Directory.Exists(resolved))
        {
            foreach (string library in Directory.EnumerateFiles(resolved, "*.so*", WithoutLinks))
            {
                AddDependencies(library);
            }
        }
        else
        {
            AddDependencies(resolved);
        }
    }

    private void AddDependencies(string path)
    {
        if (ScriptInterpreter(path) is { } interpreter)
        {
            Add(interpreter);
            return;
        }

        if (ElfDependencies.TryRead(path) is not { } needed)
        {
            return;
        }

        if (needed.Interpreter is { } linker)
        {
            Add(linker);
            if (File.Exists(LinkerCache))
            {
                Add(LinkerCache);
            }
        }

        foreach (string library in needed.Libraries)
        {
            if (LibraryDirectories.Find(library, needed.SearchPath) is { } found)
            {
                Add(found);
            }
        }
    }

    /// <summary>The interpreter that the first line of a script names.</summary>
    private static string? ScriptInterpreter(string path)
    {
        const int longestLine = 256;
        using FileStream file = File.OpenRead(path);
        var start = new byte[longestLine];
        int count = file.ReadAtLeast(start, longestLine, throwOnEndOfStream: false);
        if (count < 3 || start[0] != '#' || start[1] != '!')
        {
            return null;
        }

        string line = System.Text.Encoding.UTF8.GetString(start, 2, count - 2).Split('\n')[0].Trim();
        return line.Split(' ')[0] is { Length: > 0 } interpreter && File.Exists(interpreter) ? interpreter : null;
    }

    /// <summary>Adds the links on the way to a path.</summary>
    /// <returns>Where they lead to.</returns>
    private string AddLinks(string path)
    {
        for (int links = 0; links < MostLinks; links++)
        {
            if (FindLink(path) is not { } link)
            {
                return path;
            }

            string target = new FileInfo(link).LinkTarget!;
            _files[link] = ProgramFile.LinkTo(target);
            path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(link)!, target)) + path[link.Length..];
        }

        throw new IOException($"'{path}' leads over too many symbolic links.");
    }

    /// <summary>The first link on the way to a path, or <see langword="null"/>.</summary>
    private static string? FindLink(string path)
    {
        for (int end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            string part = end < 0 ? path : path[..end];
            if (new FileInfo(part).LinkTarget is not null)
            {
                return part;
            }

            if (end < 0)
            {
                return null;
            }
        }
    }
}

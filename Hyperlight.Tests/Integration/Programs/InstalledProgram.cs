using System.Diagnostics;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A dynamically linked program of this machine, with what the dynamic linker needs.</summary>
internal static class InstalledProgram
{
    /// <summary>An image with a program, its libraries, and further files and directories. Skips the test where there is no such program.</summary>
    public static ProgramImage Image(string path, ProgramImageOptions options, params string[] others)
    {
        NativeProgram.Require();
        if (Array.Find([path, .. others], static file => !Path.Exists(file)) is { } missing)
        {
            Assert.Ignore($"'{missing}' is not installed on this machine.");
        }

        return ProgramImage.FromFiles(
            Libraries([path]).Append(path).Concat(others).Distinct().ToDictionary(static file => file, ProgramFile.FromPath), options);
    }

    /// <summary>
    /// The libraries that programs and libraries need. Lines of ldd are "NAME => PATH (ADDRESS)" and "PATH (ADDRESS)", and "PATH:" before those of
    /// each of several.
    /// </summary>
    public static IEnumerable<string> Libraries(IEnumerable<string> paths)
    {
        using Process process = Process.Start(new ProcessStartInfo("ldd", paths) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n')
            .Select(static line => line.Split("=>")[^1].Split('(')[0].Trim())
            .Where(static library => library.StartsWith('/') && !library.EndsWith(':'));
    }
}

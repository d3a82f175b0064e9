using System.Diagnostics;
using Hyperlight.Tests.Documentation;

namespace Hyperlight.Tests.Integration;

/// <summary>Builds guests with the makefile of the repository.</summary>
internal static class GuestToolchain
{
    /// <summary>The directory of the makefile.</summary>
    public static string Guests { get; } = Path.Combine(Repository.Root, "guests");

    /// <summary>Skips the test if this machine lacks a program that guests are built with.</summary>
    public static void Require()
    {
        foreach (string tool in new[] { "make", "gcc", "g++" })
        {
            try
            {
                _ = Process.Start(new ProcessStartInfo(tool, "--version") { RedirectStandardOutput = true })!.StandardOutput.ReadToEnd();
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Assert.Ignore($"There is no {tool} on this machine to build a guest with.");
            }
        }
    }

    /// <summary>Runs make in the guests' directory, called from another one.</summary>
    public static (int ExitCode, string Output) Make(string directory, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("make", ["-C", Guests, .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PWD"] = directory;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Runs a Linux program on this machine's own kernel, for comparison.</summary>
internal static class NativeProgram
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Skips the test where the programs cannot run.</summary>
    public static void Require()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            Assert.Ignore("This machine does not run Linux programs for x86-64, with which the results would be compared.");
        }
    }

    /// <summary>Runs a program with an environment that has one variable.</summary>
    public static (int ExitCode, string Output, string Error) Run(string path, string input, params string[] arguments)
    {
        using Process process = Start(path, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Write(process, input);
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a program with an environment that has one variable, and with its streams redirected.</summary>
    public static Process Start(string path, params string[] arguments)
    {
        MakeExecutable(path);

        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment.Add("NAME", "value");
        return Process.Start(start)!;
    }

    /// <summary>The programs of the tests may have been copied without their mode. Those of the machine keep theirs.</summary>
    private static void MakeExecutable(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & UnixFileMode.UserExecute) == 0)
        {
            File.SetUnixFileMode(path, Executable);
        }
    }

    /// <summary>A program may end before it has read its input.</summary>
    private static void Write(Process process, string input)
    {
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException exception)
        {
            TestContext.Out.WriteLine($"The program did not read its input: {exception.Message}");
        }
    }
}

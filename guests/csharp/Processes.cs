using System.Diagnostics;

namespace Hyperlight.Guests.CSharp;

/// <summary>A program that starts another one: itself.</summary>
internal static class Processes
{
    public static int Run()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["input", "one", "two words"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = "/tmp";
        using Process process = Process.Start(start)!;
        process.StandardInput.WriteLine("text for the child");
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        Console.Write(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        Console.WriteLine($"{process.ExitCode} {error.Result}");
        return KillAnother();
    }

    /// <summary>Ends a program that waits for its input. It is ended after its output was read: otherwise the output would depend on chance.</summary>
    private static int KillAnother()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["input"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process ended = Process.Start(start)!;
        Console.WriteLine(ended.StandardOutput.ReadLine());
        Console.WriteLine(ended.StandardOutput.ReadLine());
        ended.Kill();
        Console.WriteLine($"then '{ended.StandardOutput.ReadToEnd()}'");
        ended.WaitForExit();
        return ended.ExitCode;
    }
}

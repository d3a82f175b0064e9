using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Hyperlight.Tests;

/// <summary>How a test starts a process of its own, in which <see cref="Program"/> does what the arguments say.</summary>
internal static class TestProcess
{
    private static string DotNet { get; } = Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    /// <summary>What starts the process. Its output is for the test to read.</summary>
    public static ProcessStartInfo Command(params string[] arguments) =>
        new(DotNet, [typeof(TestProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
}

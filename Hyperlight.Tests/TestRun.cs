using System.Diagnostics;
using System.Security;
using NUnit;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Hyperlight.Tests;

/// <summary>
/// Runs tests of this assembly in this process, where <c>dotnet test</c> cannot start one, such as a published build for Windows
/// on Wine.
/// </summary>
internal sealed class TestRun : ITestListener
{
    public const string Command = "run";

    public const string Usage = $"  {Command} NAME REGEX    runs the tests of a namespace or class whose full names match, in this process";

    private readonly Stopwatch _time = Stopwatch.StartNew();
    private int _failed;
    private int _passed;
    private int _skipped;

    private TestRun()
    {
    }

    /// <summary>Runs the tests of a namespace or class whose full names match a regular expression.</summary>
    /// <returns>An exit code: 0 if at least one test passed and none failed.</returns>
    public static int Run(string name, string pattern)
    {
        NUnitTestAssemblyRunner runner = new(new DefaultTestAssemblyBuilder());
        _ = runner.Load(typeof(TestRun).Assembly, new Dictionary<string, object> { [FrameworkPackageSettings.LOAD] = new[] { name } });
        TestRun run = new();
        ITestResult result = runner.Run(
            run, TestFilter.FromXml($"<filter><test re='1'>{SecurityElement.Escape(pattern)}</test></filter>"));
        bool succeeded = run is { _failed: 0, _passed: > 0 } && result.ResultState.Status != TestStatus.Failed;
        Console.WriteLine(
            $"{(succeeded ? "Passed" : "Failed")}: {run._passed} passed, {run._failed} failed, {run._skipped} skipped, "
            + $"{run._time.Elapsed.TotalSeconds:0} s");
        return succeeded ? 0 : 1;
    }

    public void TestFinished(ITestResult result)
    {
        // What fails outside of any test, such as the set-up of a fixture.
        bool isOwnFailure = result.ResultState is { Status: TestStatus.Failed, Site: not (FailureSite.Child or FailureSite.Parent) };
        if (result.Test.IsSuite && !isOwnFailure)
        {
            return;
        }

        switch (result.ResultState.Status)
        {
            case TestStatus.Failed:
                _failed++;
                Console.WriteLine($"FAILED {result.FullName}\n{result.Message}\n{result.StackTrace}\n{result.Output}");
                break;
            case TestStatus.Skipped or TestStatus.Inconclusive:
                _skipped++;
                Console.WriteLine($"skipped {result.FullName}: {result.Message}");
                break;
            default:
                _passed++;
                Console.WriteLine($"passed {result.FullName} [{result.Duration:0.00} s]");
                break;
        }
    }

    public void TestStarted(ITest test)
    {
    }

    public void TestOutput(TestOutput output)
    {
    }

    public void SendMessage(TestMessage message)
    {
    }
}

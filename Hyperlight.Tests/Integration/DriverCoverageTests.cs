namespace Hyperlight.Tests.Integration;

/// <summary>Says on which drivers and with which guests the integration suite ran, and why not on the others.</summary>
[TestFixture]
internal sealed class DriverCoverageTests
{
    [TestCaseSource(nameof(Names))]
    public void The_integration_suite_runs_on(string name)
    {
        (_, TestTarget? target, string reason) = TestTargets.All.Single(t => t.Name == name);
        if (target is null)
        {
            Assert.Ignore($"The integration suite does not run on {name} on this machine: {reason}");
        }

        TestContext.Progress.WriteLine(TestTargets.RunsWholeSuite(target!)
            ? $"The integration suite runs on {name}: {reason}"
            : $"One call runs on {name}. The integration suite does too if {TestTargets.SimulatedVariable}=1.");
        using MultiUseSandbox sandbox = target!.Builder().Build();
        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
    }

    private static IEnumerable<string> Names() => TestTargets.All.Select(t => t.Name);
}

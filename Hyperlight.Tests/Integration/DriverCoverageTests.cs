using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Hyperlight.Tests.Integration;

/// <summary>Says on which drivers and with which guests the integration suite runs, and why not on the others.</summary>
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

        TestContext.Progress.WriteLine($"The integration suite has {CountTests(name)} tests on {name}: {reason}");
        using MultiUseSandbox sandbox = target!.Builder().Build();
        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
    }

    [Test]
    public void The_integration_suite_has_the_same_tests_on_every_driver_with_the_same_guest()
    {
        int[] counts = [.. TestTargets.All.Where(static t => t.Target?.GuestFile == TestTargets.GeneralGuest).Select(static t => CountTests(t.Name))];

        Assert.That(counts, Is.Not.Empty.And.All.EqualTo(counts[0]).And.All.GreaterThan(100));
    }

    private static IEnumerable<string> Names() => TestTargets.All.Select(t => t.Name);

    private static int CountTests(string name)
    {
        ITest root = TestExecutionContext.CurrentContext.CurrentTest;
        while (root.Parent is not null)
        {
            root = root.Parent;
        }

        return CountTests(root, name);
    }

    private static int CountTests(ITest test, string name) =>
        test.IsSuite ? test.Tests.Sum(t => CountTests(t, name)) : TestTargets.Of(test)?.ToString() == name ? 1 : 0;
}

using System.Collections.Concurrent;
using NUnit.Framework.Interfaces;

[assembly: Hyperlight.Tests.Integration.CountByDriver]

namespace Hyperlight.Tests.Integration;

/// <summary>Counts the tests of the integration suite that ran, by driver and guest, and reports the counts at the end.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class CountByDriverAttribute : Attribute, ITestAction
{
    private readonly ConcurrentDictionary<(string Target, TestStatus Status), int> _counts = [];

    public ActionTargets Targets => ActionTargets.Test | ActionTargets.Suite;

    public void BeforeTest(ITest test)
    {
    }

    public void AfterTest(ITest test)
    {
        if (test.TestType == "Assembly" || test.Parent is null)
        {
            Report();
        }
        else if (!test.IsSuite && TestTargets.Of(test) is { } target)
        {
            _counts.AddOrUpdate((target.ToString(), TestContext.CurrentContext.Result.Outcome.Status), 1, static (_, n) => n + 1);
        }
    }

    private void Report()
    {
        foreach (IGrouping<string, KeyValuePair<(string Target, TestStatus Status), int>> target in _counts.GroupBy(static c => c.Key.Target).OrderBy(static g => g.Key))
        {
            TestContext.Progress.WriteLine(
                $"Integration suite on {target.Key}: {string.Join(", ", target.OrderBy(static c => c.Key.Status).Select(static c => $"{c.Value} {c.Key.Status}"))}");
        }
    }
}

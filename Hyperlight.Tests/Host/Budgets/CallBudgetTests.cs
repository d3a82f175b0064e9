using System.Reflection;
using Hyperlight.Host.Budgets;

namespace Hyperlight.Tests.Host.Budgets;

/// <summary>How budgets are combined.</summary>
[TestFixture]
internal sealed class CallBudgetTests
{
    private static readonly PropertyInfo[] Limits = typeof(CallBudget).GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static IEnumerable<string> Names => Limits.Select(limit => limit.Name);

    [Test]
    public void Each_limit_is_a_kind() => Assert.That(Names, Is.EquivalentTo(Enum.GetNames<BudgetKind>()));

    [TestCaseSource(nameof(Names))]
    public void The_tighter_limit_applies_in_either_order(string name)
    {
        CallBudget none = CallBudget.Unlimited;
        CallBudget tight = Of(name, 5);
        CallBudget wide = Of(name, 7);

        Assert.That(tight.Tighten(wide), Is.EqualTo(tight));
        Assert.That(wide.Tighten(tight), Is.EqualTo(tight));
        Assert.That(wide.Tighten(none), Is.EqualTo(wide));
        Assert.That(none.Tighten(wide), Is.EqualTo(wide));
        Assert.That(new BudgetLimits(wide).Tighten(tight), Is.EqualTo(new BudgetLimits(tight)));
        Assert.That(new BudgetLimits(tight).Tighten(wide), Is.EqualTo(new BudgetLimits(tight)));
        Assert.That(new BudgetLimits(none).Tighten(wide), Is.EqualTo(new BudgetLimits(wide)));
        Assert.That(new BudgetLimits(wide).Tighten(none), Is.EqualTo(new BudgetLimits(wide)));
        Assert.That(new BudgetLimits(wide), Is.Not.EqualTo(new BudgetLimits(none)));
    }

    [Test]
    public void Limits_of_different_kinds_all_apply()
    {
        CallBudget all = Names.Aggregate(CallBudget.Unlimited, (budget, name) => budget.Tighten(Of(name, 3)));

        foreach (PropertyInfo limit in Limits)
        {
            Assert.That(limit.GetValue(all), Is.EqualTo(limit.GetValue(Of(limit.Name, 3))), limit.Name);
        }
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void Times_and_instructions_are_positive(long value)
    {
        Assert.That(() => new CallBudget { WallClockTime = TimeSpan.FromMilliseconds(value) }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CallBudget { CpuTime = TimeSpan.FromMilliseconds(value) }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CallBudget { Instructions = value }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Counts_are_not_negative()
    {
        Assert.That(() => new CallBudget { HostCalls = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CallBudget { LogRecords = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new CallBudget { PrintedBytes = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [TestCase(BudgetKind.CpuTime, "21.5 ms of CPU time, and the limit is 20 ms")]
    [TestCase(BudgetKind.WallClockTime, "21.5 ms of wall-clock time, and the limit is 20 ms")]
    [TestCase(BudgetKind.Instructions, "215000 instructions, and the limit is 200000 instructions")]
    [TestCase(BudgetKind.HostCalls, "215000 host calls, and the limit is 200000 host calls")]
    [TestCase(BudgetKind.LogRecords, "215000 log records, and the limit is 200000 log records")]
    [TestCase(BudgetKind.PrintedBytes, "215000 printed bytes, and the limit is 200000 printed bytes")]
    public void The_error_names_the_limit_its_value_and_what_was_used(BudgetKind kind, string text)
    {
        var error = new BudgetExceededException(kind, 200_000, 215_000);

        Assert.That(error.Message, Does.Contain(text));
        Assert.That((error.Budget, error.Limit, error.Used), Is.EqualTo((kind, 200_000L, 215_000L)));
        Assert.That(error.Reason, Is.EqualTo(kind == BudgetKind.WallClockTime ? CancellationReason.Timeout : CancellationReason.Budget));
    }

    private static CallBudget Of(string name, long value)
    {
        var budget = new CallBudget();
        PropertyInfo limit = Limits.Single(l => l.Name == name);
        limit.SetValue(budget, limit.PropertyType == typeof(TimeSpan?) ? TimeSpan.FromMilliseconds(value) : value);
        return budget;
    }
}

using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>The limits of a run that the host enforces, over the calls that a run is made of.</summary>
[TestFixture]
internal sealed class RunBudgetTests
{
    private static readonly ProgramLimits Limits =
        new() { Time = Timeout.InfiniteTimeSpan, CpuTime = TimeSpan.FromSeconds(2), Instructions = 100 };

    [Test]
    public void A_call_may_use_what_the_calls_before_it_have_left()
    {
        var budget = RunBudget.OfRun(Limits);
        Assert.That(budget.BeginCall(), Is.EqualTo(new CallBudget { CpuTime = TimeSpan.FromSeconds(2), Instructions = 100 }));

        budget.EndCall(new CallStatistics { CpuTime = TimeSpan.FromSeconds(0.5), Instructions = 30 });
        Assert.That(budget.BeginCall(), Is.EqualTo(new CallBudget { CpuTime = TimeSpan.FromSeconds(1.5), Instructions = 70 }));

        budget.EndCall(new CallStatistics { CpuTime = TimeSpan.FromSeconds(9), Instructions = 70 });
        Assert.That(budget.BeginCall(), Is.EqualTo(new CallBudget { CpuTime = TimeSpan.FromMilliseconds(1), Instructions = 1 }), "nothing is not a limit");
        Assert.That((budget.Usage.CpuTime, budget.Usage.Instructions), Is.EqualTo((TimeSpan.FromSeconds(9.5), 100L)));
    }

    [Test]
    public void The_limit_that_ended_a_call_is_that_of_the_run_or_it_is_unknown()
    {
        var budget = RunBudget.OfRun(Limits);
        _ = budget.BeginCall();

        Assert.That(budget.EndBy(Exceeded(BudgetKind.CpuTime, TimeSpan.FromSeconds(2).Ticks)), Is.EqualTo(ProgramEnd.CpuTimeLimit));
        Assert.That(budget.EndBy(Exceeded(BudgetKind.Instructions, 100)), Is.EqualTo(ProgramEnd.InstructionLimit));
        Assert.That(budget.EndBy(Exceeded(BudgetKind.CpuTime, TimeSpan.FromSeconds(1).Ticks)), Is.Null, "a budget of the application");
        Assert.That(budget.EndBy(Exceeded(BudgetKind.Instructions, 99)), Is.Null);
        Assert.That(budget.EndBy(Exceeded(BudgetKind.WallClockTime, 1)), Is.Null, "the run has no such limit");
        Assert.That(budget.EndBy(Exceeded(BudgetKind.HostCalls, 1)), Is.Null);

        static BudgetExceededException Exceeded(BudgetKind kind, long limit) => new(kind, limit, limit + 1);
    }

    [Test]
    public void The_way_to_a_checkpoint_is_limited_by_its_time_alone()
    {
        CallBudget call = RunBudget.OfWarmUp(Limits with { WarmUpTime = TimeSpan.FromHours(1) }).BeginCall();

        Assert.That((call.CpuTime, call.Instructions), Is.EqualTo(((TimeSpan?)null, (long?)null)));
        Assert.That(call.WallClockTime, Is.EqualTo(TimeSpan.FromHours(1)), "the time begins with the first call");
    }

    [Test]
    public void Limits_have_ranges()
    {
        Assert.That(() => new ProgramLimits { CpuTime = TimeSpan.Zero }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { CpuTime = TimeSpan.FromDays(50) }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { Instructions = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramLimits { SystemCalls = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(new ProgramLimits { CpuTime = TimeSpan.FromTicks(1), Instructions = 1, SystemCalls = 0 }, Is.Not.EqualTo(new ProgramLimits()));
    }
}

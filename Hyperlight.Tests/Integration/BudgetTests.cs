using System.Text;

namespace Hyperlight.Tests.Integration;

/// <summary>Budgets: each limit ends a call, on every driver, and a restore makes the sandbox usable.</summary>
internal sealed class BudgetTests(TestTarget target) : GuestTest(target)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    /// <summary>Long enough for a slow machine to enter the guest.</summary>
    private static readonly TimeSpan LongEnoughToBegin = TimeSpan.FromMilliseconds(200);

    /// <summary>A limit, a call that exceeds it, and the value of the limit in the error.</summary>
    private static IEnumerable<TestCaseData> Exceeded =>
    [
        new(BudgetKind.WallClockTime, new CallBudget { WallClockTime = LongEnoughToBegin }, "SpinForever", Array.Empty<GuestValue>(), LongEnoughToBegin.Ticks),
        new(BudgetKind.CpuTime, new CallBudget { CpuTime = Short }, "SpinForever", Array.Empty<GuestValue>(), Short.Ticks),
        new(BudgetKind.HostCalls, new CallBudget { HostCalls = 5 }, "CallHostTimes", new GuestValue[] { 1_000_000 }, 5L),
        new(BudgetKind.LogRecords, new CallBudget { LogRecords = 2 }, "LogAllLevels", Array.Empty<GuestValue>(), 2L),
        new(BudgetKind.PrintedBytes, new CallBudget { PrintedBytes = 7 }, "Print", new GuestValue[] { "Grüße\n" }, 7L),
        new(BudgetKind.PrintedBytes, new CallBudget { PrintedBytes = 4 }, "DebugPrint", new GuestValue[] { "debug" }, 4L),
    ];

    [TestCaseSource(nameof(Exceeded))]
    public async Task A_call_that_exceeds_a_limit_is_ended(
        BudgetKind kind, CallBudget budget, string function, GuestValue[] arguments, long limit)
    {
        MultiUseSandbox sandbox = Build(builder => Configure(builder));
        using Snapshot snapshot = sandbox.TakeSnapshot();
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => Task.Run(() => sandbox.Call<GuestValue>(function, arguments, budget)),
            () => sandbox.CallAsync<GuestValue>(function, arguments, budget),
        })
        {
            BudgetExceededException error;
            int attempts = kind == BudgetKind.WallClockTime ? 20 : 1;
            do
            {
                // A limit of time that is reached before the guest is entered ends the call too, and poisons nothing.
                error = (await Assert.ThrowsAsync<BudgetExceededException>(async () => await call()))!;
                Assert.That((error.Budget, error.Limit), Is.EqualTo((kind, limit)));
            }
            while (--attempts > 0 && sandbox.Status == SandboxStatus.Ready);

            Assert.That(error.Used, Is.GreaterThanOrEqualTo(limit));
            Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
            sandbox.Restore(snapshot);
            Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
        }
    }

    [TestCaseSource(nameof(Exceeded))]
    public void The_budget_of_a_sandbox_limits_each_call(
        BudgetKind kind, CallBudget budget, string function, GuestValue[] arguments, long limit)
    {
        // The initialisation has the budget too, and may need more. A sandbox from a snapshot has none.
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MultiUseSandbox sandbox = Build(builder => Configure(builder).WithSnapshot(snapshot).WithConfiguration(
            new SandboxConfiguration { GuestLogLevel = GuestLogLevel.Trace, Budget = budget with { WallClockTime = budget.WallClockTime * 50 } }));

        BudgetExceededException error = Assert.Throws<BudgetExceededException>(() => sandbox.Call<GuestValue>(
            function, arguments, kind == BudgetKind.WallClockTime ? budget : CallBudget.Unlimited))!;

        Assert.That((error.Budget, error.Limit), Is.EqualTo((kind, limit)));
    }

    [Test]
    public void What_exceeds_a_limit_is_not_done()
    {
        int hostCalls = 0;
        var printed = new StringBuilder();
        using var loggers = new RecordingLoggers(Microsoft.Extensions.Logging.LogLevel.Trace);
        MultiUseSandbox sandbox = Build(builder => builder
            .WithConfiguration(new SandboxConfiguration { GuestLogLevel = GuestLogLevel.Trace })
            .WithLogging(loggers)
            .WithPrint(text => printed.Append(text))
            .WithDebugPrint(rune => printed.Append(rune.ToString()))
            .WithHostFunction("HostEchoInt", (int x) =>
            {
                hostCalls++;
                return x;
            }));
        using Snapshot snapshot = sandbox.TakeSnapshot();

        AssertEnds("CallHostTimes", [100], new CallBudget { HostCalls = 5 });
        Assert.That(hostCalls, Is.EqualTo(5));

        AssertEnds("Print", ["abcd"], new CallBudget { PrintedBytes = 3 });
        Assert.That(printed.ToString(), Is.Empty);
        AssertEnds("DebugPrint", ["abcd"], new CallBudget { PrintedBytes = 3 });
        Assert.That(printed.ToString(), Is.EqualTo("abc"));

        int before = loggers.Guest.Count;
        AssertEnds("LogAllLevels", [], new CallBudget { LogRecords = 2 });
        Assert.That(loggers.Guest.Count - before, Is.EqualTo(2));

        void AssertEnds(string function, GuestValue[] arguments, CallBudget budget)
        {
            Assert.That(() => sandbox.Call<GuestValue>(function, arguments, budget), Throws.TypeOf<BudgetExceededException>());
            sandbox.Restore(snapshot);
        }
    }

    [Test]
    public void A_call_may_use_all_of_its_budget_and_says_what_it_has_used()
    {
        MultiUseSandbox sandbox = Build(builder => Configure(builder));

        sandbox.Call<long>("CallHostTimes", [5], new CallBudget { HostCalls = 5 });
        Assert.That((sandbox.LastCall.HostCalls, sandbox.LastCall.LogRecords, sandbox.LastCall.PrintedBytes), Is.EqualTo((5L, 0L, 0L)));
        sandbox.Call<int>("Print", ["Grüße\n"], new CallBudget { PrintedBytes = 8, HostCalls = 1 });
        Assert.That((sandbox.LastCall.HostCalls, sandbox.LastCall.LogRecords, sandbox.LastCall.PrintedBytes), Is.EqualTo((1L, 0L, 8L)));
        sandbox.Call("DebugPrint", ["debug"], new CallBudget { PrintedBytes = 5, HostCalls = 0 });
        Assert.That(sandbox.LastCall.PrintedBytes, Is.EqualTo(5));
        sandbox.Call<int>("LogAllLevels", [], new CallBudget { LogRecords = 5 });
        Assert.That((sandbox.LastCall.HostCalls, sandbox.LastCall.LogRecords), Is.EqualTo((0L, 5L)));

        sandbox.Call("Add", 1, 2);
        Assert.That(sandbox.LastCall.CpuTime, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(sandbox.LastCall.WallClockTime));
        Assert.That(sandbox.LastCall.Instructions, Target.Hypervisor.CountsInstructions ? Is.Positive : Is.Null);
        CallStatistics ended = sandbox.LastCall;
        Assert.That(sandbox.LastCall, Is.EqualTo(ended), "the clocks stand still");
    }

    [Test]
    public void A_call_reports_the_pages_that_it_makes_dirty_where_the_driver_knows_them()
    {
        const int pages = 10;
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);
        Sandbox.Call<int>("Add", 1, 2);
        if (Target.Hypervisor.Name != "emulator")
        {
            Assert.That(Sandbox.LastCall.DirtyPages, Is.Null);
            return;
        }

        long usual = Sandbox.LastCall.DirtyPages!.Value;
        Assert.That(usual, Is.InRange(1, pages));
        Sandbox.Restore(snapshot);
        Assert.That(Sandbox.LastCall.DirtyPages, Is.EqualTo(usual), "a restore is not a part of the call");

        Sandbox.Call<int>("UseStack", pages * 4);
        long large = Sandbox.LastCall.DirtyPages!.Value;
        Assert.That(large, Is.InRange(usual + pages - 1, usual + pages + 4));
        Sandbox.Call<int>("UseStack", pages * 4);
        Assert.That(Sandbox.LastCall.DirtyPages, Is.Zero, "the pages were dirty");
        Sandbox.Restore(snapshot);
        Sandbox.Call<int>("UseStack", pages * 4);
        Assert.That(Sandbox.LastCall.DirtyPages, Is.EqualTo(large));
    }

    [Test]
    public void Instructions_are_limited_where_they_are_counted_and_refused_elsewhere()
    {
        var budget = new CallBudget { Instructions = 100_000 };
        if (!Target.Hypervisor.CountsInstructions)
        {
            Assert.That(() => Sandbox.Call("SpinForever", [], budget), Throws.TypeOf<UnsupportedConfigurationException>());
            Assert.That(() => Sandbox.CallAsync("SpinForever", [], budget), Throws.TypeOf<UnsupportedConfigurationException>());
            AssertUsable();
            return;
        }

        Assert.That(Sandbox.Call<int>("Add", [1, 2], budget), Is.EqualTo(3));
        long used = Sandbox.LastCall.Instructions!.Value;
        Sandbox.Call<long>("SpinTimes", 1_000_000L);
        Assert.That(Sandbox.LastCall.Instructions, Is.GreaterThan(budget.Instructions));
        Assert.That(Sandbox.Call<int>("Add", [1, 2], new CallBudget { Instructions = used + 1 }), Is.EqualTo(3));
        BudgetExceededException error = AssertPoisons<BudgetExceededException>(s => s.Call("SpinForever", [], budget));
        Assert.That((error.Budget, error.Limit, error.Used), Is.EqualTo((BudgetKind.Instructions, 100_000L, 100_000L)));
    }

    [Test]
    public void A_host_function_that_waits_takes_no_CPU_time_of_the_guest()
    {
        // Longer than a busy system lets the guest's thread wait for a processor, which counts.
        var limit = TimeSpan.FromSeconds(4);
        TimeSpan wait = TimeSpan.Zero;
        MultiUseSandbox sandbox = Build(builder => builder.WithHostFunction("HostEchoInt", (int x) =>
        {
            Thread.Sleep(wait);
            return x;
        }));
        sandbox.Call<int>("RoundTripInt", 7);
        wait = limit + TimeSpan.FromSeconds(0.2);

        Assert.That(sandbox.Call<int>("RoundTripInt", [7], new CallBudget { CpuTime = limit }), Is.EqualTo(7));
        Assert.That(sandbox.LastCall.CpuTime, Is.LessThan(limit));
    }

    [Test]
    public void The_initialisation_has_the_budget_of_the_sandbox() => Assert.That(
        () => Target.Builder().WithGuest(TinyGuest.Assemble(code =>
            {
                Iced.Intel.Label spin = code.CreateLabel();
                code.Label(ref spin);
                code.jmp(spin);
            }))
            .WithBudget(new CallBudget { CpuTime = Short })
            .Build(),
        Throws.TypeOf<BudgetExceededException>().With.Property("Budget").EqualTo(BudgetKind.CpuTime));

    private static SandboxBuilder Configure(SandboxBuilder builder) => builder
        .WithPrint(_ => { })
        .WithDebugPrint(_ => { })
        .WithConfiguration(new SandboxConfiguration { GuestLogLevel = GuestLogLevel.Trace })
        .WithHostFunction("HostEchoInt", (int x) => x);
}

using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Budgets;

/// <summary>Limits of CPU time, over a mocked driver.</summary>
[TestFixture]
internal sealed class CpuTimeTests : ScriptedSandboxTest
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);
    private static readonly CallBudget Budget = new() { CpuTime = Short };

    private ManualResetEventSlim _cancelled = null!;

    [SetUp]
    public void SetUp()
    {
        _cancelled = new ManualResetEventSlim();
        Guest.Machine.Setup(m => m.Cancel()).Callback(_cancelled.Set);
    }

    [TearDown]
    public void TearDown() => _cancelled.Dispose();

    [Test]
    public void A_guest_that_runs_for_too_long_is_ended()
    {
        Spin();

        BudgetExceededException error = Assert.Throws<BudgetExceededException>(() => Sandbox.Call("f", [], Budget))!;

        Assert.That((error.Budget, error.Limit), Is.EqualTo((BudgetKind.CpuTime, Short.Ticks)));
        Assert.That(error.Used, Is.GreaterThanOrEqualTo(Short.Ticks));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(Sandbox.LastCall.CpuTime, Is.GreaterThanOrEqualTo(Short));
    }

    [Test]
    public void Host_functions_take_no_CPU_time()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            Thread.Sleep(Short * 4);
            TimeLimits.ExpireAll();
            return a + b;
        });
        Guest.Then(CallAdd).Then(AnswerAfterHostCall);

        Assert.That(Sandbox.Call<int>("f", [], Budget with { CpuTime = TestTime.Patience }), Is.EqualTo(3));
        Assert.That(Sandbox.LastCall.WallClockTime - Sandbox.LastCall.CpuTime, Is.GreaterThanOrEqualTo(Short * 3));
        Assert.That(_cancelled.IsSet, Is.False);
    }

    [Test]
    public void The_limit_is_watched_again_after_a_host_function_during_which_it_expired()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            Thread.Sleep(Short * 4);
            return a + b;
        });
        Guest.Then(CallAdd);
        Spin();

        Assert.That(
            () => Sandbox.Call<int>("f", [], Budget), Throws.TypeOf<BudgetExceededException>().With.Property("Budget").EqualTo(BudgetKind.CpuTime));
    }

    [Test]
    public void What_the_guest_has_run_before_a_host_function_counts()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) => a + b);
        int entries = 0;
        for (int i = 0; i < 100; i++)
        {
            // A driver that is asked to cancel may have left the guest already.
            Guest.Then(() =>
            {
                entries++;
                Thread.Sleep(Short * 0.6);
                return CallAdd();
            });
        }

        Assert.That(() => Sandbox.Call<int>("f", [], Budget), Throws.TypeOf<BudgetExceededException>());
        Assert.That(entries, Is.LessThanOrEqualTo(2));
    }

    [Test]
    public async Task A_guest_that_waits_uses_no_CPU_time_and_wakes_no_thread()
    {
        var result = new TaskCompletionSource<int>();
        using var entered = new ManualResetEventSlim();
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            entered.Set();
            return result.Task;
        });
        Guest.Then(CallAdd).Then(AnswerAfterHostCall);

        Task<int> call = Sandbox.CallAsync<int>("f", [], Budget with { CpuTime = TestTime.Patience });
        Assert.That(entered.Wait(TestTime.Patience));
        await Task.Delay(Short * 8);
        TimeLimits.ExpireAll();
        Assert.That(call.IsCompleted, Is.False);
        result.SetResult(1);

        Assert.That(await call.WaitAsync(TestTime.Patience), Is.EqualTo(3));
        Assert.That(Sandbox.LastCall.WallClockTime - Sandbox.LastCall.CpuTime, Is.GreaterThanOrEqualTo(Short * 5));
        Assert.That(_cancelled.IsSet, Is.False);
    }

    [Test]
    public async Task An_asynchronous_call_is_ended_too()
    {
        Spin();

        await Assert.ThatAsync(
            () => Sandbox.CallAsync("f", [], Budget).WaitAsync(TestTime.Patience),
            Throws.TypeOf<BudgetExceededException>().With.Property("Budget").EqualTo(BudgetKind.CpuTime));
    }

    [Test]
    public void The_limit_of_a_call_that_has_ended_is_no_limit_of_the_next()
    {
        var limit = TimeSpan.FromSeconds(1);
        Guest.Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f", [], Budget with { CpuTime = limit }), Is.EqualTo(3));
        Guest.Then(() =>
        {
            Thread.Sleep(limit * 1.2);
            TimeLimits.ExpireAll();
            Assert.That(_cancelled.IsSet, Is.False);
            return Answer();
        });

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void The_clock_adds_up_what_ran()
    {
        var clock = new CallClock();
        Assert.That(clock.Elapsed, Is.EqualTo(TimeSpan.Zero));
        long start = Stopwatch.GetTimestamp();
        clock.Start();
        Assert.That(clock.IsRunning, Is.True);
        Thread.Sleep(2);
        TimeSpan running = clock.Elapsed;
        clock.Stop();
        TimeSpan first = clock.Elapsed;
        Thread.Sleep(5);
        Assert.That(clock.Elapsed, Is.EqualTo(first), "it stands still");
        Assert.That(running, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(1)).And.LessThanOrEqualTo(first));

        clock.Start();
        Thread.Sleep(2);
        clock.Stop();

        Assert.That(clock.IsRunning, Is.False);
        Assert.That(clock.Elapsed, Is.GreaterThan(first).And.LessThanOrEqualTo(Stopwatch.GetElapsedTime(start) - TimeSpan.FromMilliseconds(4)));
        clock.Reset();
        Assert.That(clock.Elapsed, Is.EqualTo(TimeSpan.Zero));
    }

    /// <summary>The guest runs until it is cancelled.</summary>
    private void Spin() => Guest.Then(() =>
    {
        Assert.That(_cancelled.Wait(TestTime.Patience));
        return VmExit.Cancelled;
    });

    private VmExit CallAdd()
    {
        Guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }

    private VmExit AnswerAfterHostCall()
    {
        Guest.PopInput();
        return Answer();
    }

    private VmExit Answer()
    {
        Guest.PopInput();
        Guest.PushOutput(GoldenVectors.IntResult);
        return ScriptedMachine.Halt;
    }
}

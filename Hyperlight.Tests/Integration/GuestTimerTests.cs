using Hyperlight.Tests.Host.Diagnostics.Telemetry;

namespace Hyperlight.Tests.Integration;

/// <summary>The timer that a guest can have: it interrupts the guest with vector 0x20, and ends with the call.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class GuestTimerTests(TestTarget target) : GuestTest(target)
{
    private const int TimerPort = 107;
    private const uint Millisecond = 1000;
    private static readonly SandboxConfiguration WithTimer = new() { GuestTimer = true };

    [Test, EndsWithin(60)]
    public void A_guest_that_computes_is_interrupted_each_time_the_period_has_passed() =>
        Assert.That(BuildWithTimer().Call<uint>("TimerSpin", Millisecond, 5U, long.MaxValue), Is.GreaterThanOrEqualTo(5));

    [Test, EndsWithin(60)]
    public void A_halted_guest_waits_for_the_interrupt()
    {
        MultiUseSandbox sandbox = BuildWithTimer();

        Assert.That(sandbox.Call<uint>("TimerHalt", 5 * Millisecond, 4U), Is.GreaterThanOrEqualTo(4));

        Assert.That(sandbox.LastCall.WallClockTime, Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(20)));
    }

    [Test, EndsWithin(60)]
    public void A_period_outside_the_limits_is_the_nearest_limit()
    {
        MultiUseSandbox sandbox = BuildWithTimer();

        Assert.That(sandbox.Call<uint>("TimerSpin", 1U, 3U, long.MaxValue), Is.GreaterThanOrEqualTo(3));
        Assert.That(
            () => sandbox.Call<uint>("TimerHalt", [uint.MaxValue, 1U], TimeSpan.FromMilliseconds(50)),
            Throws.TypeOf<BudgetExceededException>());
    }

    [Test]
    public void Without_the_option_the_port_is_none_of_the_guest_abi() =>
        Assert.That(
            AssertPoisons<GuestProtocolException>(static sandbox => sandbox.Call<uint>("TimerHalt", Millisecond, 1U)).Message,
            Does.Contain("0x11 to I/O port 32"));

    [TestCase("OutPort16")]
    [TestCase("OutPort8")]
    public void A_period_that_has_not_32_bits_is_a_typed_error(string function) =>
        Assert.That(
            () => BuildWithTimer().Call(function, TimerPort, 1000UL),
            Throws.TypeOf<GuestProtocolException>().With.Message.Contains("has 4"));

    [Test]
    public void A_port_that_no_timer_needs_stays_an_error() =>
        Assert.That(() => BuildWithTimer().Call("OutPort8", 0x64, 1UL), Throws.TypeOf<GuestProtocolException>());

    [Test]
    public void A_halt_with_interrupts_off_ends_the_call_as_without_a_timer() =>
        Assert.That(
            () => BuildWithTimer().Call<uint>("TimerHaltWithoutInterrupts", Millisecond),
            Throws.TypeOf<GuestProtocolException>());

    [Test]
    public void A_halt_without_a_timer_that_runs_ends_the_call()
    {
        MultiUseSandbox sandbox = BuildWithTimer();

        Assert.That(() => sandbox.Call("Hlt"), Throws.TypeOf<GuestProtocolException>());
    }

    [Test, EndsWithin(60)]
    public void The_timer_ends_with_the_call()
    {
        MultiUseSandbox sandbox = BuildWithTimer();
        sandbox.Call<uint>("TimerStart", Millisecond);

        Thread.Sleep(10);

        Assert.That(sandbox.Call<uint>("TimerCount", 20_000L), Is.Zero);
    }

    [Test, EndsWithin(60)]
    public void A_limit_of_time_ends_a_guest_that_halts([Values] bool ofCpu)
    {
        MultiUseSandbox sandbox = BuildWithTimer();
        var budget = ofCpu
            ? new CallBudget { CpuTime = TimeSpan.FromMilliseconds(50) }
            : new CallBudget { WallClockTime = TimeSpan.FromMilliseconds(50) };

        // With an interrupt now and then, and with none before the limit.
        foreach (uint period in new[] { Millisecond, 10_000 * Millisecond })
        {
            Assert.That(
                () => sandbox.Call<uint>("TimerHalt", [period, uint.MaxValue], budget), Throws.TypeOf<BudgetExceededException>());
            sandbox = BuildWithTimer();
        }
    }

    [Test, EndsWithin(60)]
    public async Task A_token_ends_a_guest_that_halts([Values] bool isAsynchronous)
    {
        MultiUseSandbox sandbox = BuildWithTimer();
        using var cancellation = new CancellationTokenSource(50);

        ExecutionCanceledException exception = isAsynchronous
            ? (await Assert.ThrowsAsync<ExecutionCanceledException>(
                () => sandbox.CallAsync<uint>("TimerHalt", [10_000 * Millisecond, 1U], cancellation.Token)))!
            : Assert.Throws<ExecutionCanceledException>(
                () => sandbox.Call<uint>("TimerHalt", [10_000 * Millisecond, 1U], cancellation.Token))!;

        Assert.That(exception.Reason, Is.EqualTo(CancellationReason.CancellationToken));
    }

    [Test, EndsWithin(60)]
    public void Nothing_of_the_timer_is_left_after_a_restore()
    {
        MultiUseSandbox sandbox = BuildWithTimer();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        for (int i = 0; i < 20; i++)
        {
            // The guest is ended at any point, also while it holds an interrupt back.
            TimeSpan limit = TimeSpan.FromMilliseconds(5 + i);
            Assert.That(
                () => i % 2 == 0
                    ? sandbox.Call<uint>("TimerHalt", [100U, uint.MaxValue], limit)
                    : sandbox.Call<uint>("TimerSpin", [100U, uint.MaxValue, long.MaxValue], limit),
                Throws.TypeOf<BudgetExceededException>());

            sandbox.Restore(snapshot);

            Assert.That(sandbox.Call<uint>("TimerCount", 5_000L), Is.Zero);
        }
    }

    [Test, EndsWithin(60)]
    public void A_sandbox_that_is_disposed_ends_its_halted_guest()
    {
        using var metrics = new RecordedMetrics();
        MultiUseSandbox sandbox = Build(builder => builder.WithConfiguration(WithTimer).WithMetrics(metrics));
        string[] before = metrics.Of("hyperlight.vcpu.exits");
        Task call = Task.Run(() => sandbox.Call<uint>("TimerHalt", 10_000 * Millisecond, uint.MaxValue));
        Assert.That(() => metrics.Of("hyperlight.vcpu.exits").SequenceEqual(before), Is.False.After(30_000, 5), "the call has begun");
        Thread.Sleep(50);

        sandbox.Dispose();

        Assert.That(() => call.GetAwaiter().GetResult(), Throws.TypeOf<ExecutionCanceledException>());
    }

    private MultiUseSandbox BuildWithTimer() => Build(static builder => builder.WithConfiguration(WithTimer));
}

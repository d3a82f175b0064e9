using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Time limits of calls and of the initialisation, over a mocked driver.</summary>
[TestFixture]
internal sealed class TimeoutTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    private ScriptedMachine _guest = null!;
    private ManualResetEventSlim _cancelled = null!;

    [SetUp]
    public void SetUp()
    {
        _guest = new ScriptedMachine();
        _cancelled = new ManualResetEventSlim();
        _guest.Machine.Setup(m => m.Cancel()).Callback(_cancelled.Set);
    }

    [TearDown]
    public void TearDown() => _cancelled.Dispose();

    [Test]
    public void The_limit_of_a_call_ends_it_and_is_in_the_message()
    {
        using MultiUseSandbox sandbox = Build(Timeout.InfiniteTimeSpan);
        Spin();

        ExecutionCanceledException error = Assert.Throws<ExecutionCanceledException>(() => sandbox.Call("f", [], Short))!;

        Assert.That(error.Reason, Is.EqualTo(CancellationReason.Timeout));
        Assert.That(error.Timeout, Is.EqualTo(Short));
        Assert.That(error.Message, Does.Contain("20 ms"));
        Assert.That(error.CancellationToken, Is.EqualTo(CancellationToken.None));
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public void The_configured_limit_ends_each_call()
    {
        using MultiUseSandbox sandbox = Build(Short);
        Spin();

        Assert.That(
            () => sandbox.Call<int>("f", 1, 2),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Timeout").EqualTo(Short));
    }

    [Test]
    public void The_configured_limit_ends_a_call_with_a_token()
    {
        using var source = new CancellationTokenSource();
        using MultiUseSandbox sandbox = Build(Short);
        Spin();

        Assert.That(
            () => sandbox.Call<int>("f", [], source.Token),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.Timeout));
    }

    [Test]
    public void The_time_limit_of_a_call_replaces_the_configured_one()
    {
        using MultiUseSandbox sandbox = Build(Short);
        _guest.Then(() =>
        {
            Assert.That(_cancelled.Wait(Short * 3), Is.False);
            return Answer();
        });

        Assert.That(sandbox.Call<int>("f", [], Timeout.InfiniteTimeSpan), Is.EqualTo(3));
    }

    [Test]
    public void The_configured_limit_ends_the_initialisation_and_everything_is_released()
    {
        Spin();

        Assert.That(
            () => Builder(Short).Build(),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.Timeout));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void The_limit_of_a_call_that_has_ended_is_no_limit_of_the_next()
    {
        using MultiUseSandbox sandbox = Build(Timeout.InfiniteTimeSpan);
        _guest.Answer(GoldenVectors.IntResult);
        Assert.That(sandbox.Call<int>("f", [], Short * 2), Is.EqualTo(3));
        _guest.Then(() =>
        {
            Assert.That(_cancelled.Wait(Short * 6), Is.False);
            return Answer();
        });

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void A_limit_that_ends_during_a_host_function_keeps_the_guest_out_afterwards()
    {
        using MultiUseSandbox sandbox = Build(Timeout.InfiniteTimeSpan);
        sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            _cancelled.Wait();
            return a + b;
        });
        _guest.Then(() =>
        {
            _guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        });

        Assert.That(() => sandbox.Call("f", [], Short), Throws.TypeOf<ExecutionCanceledException>());
    }

    [Test]
    public void A_limit_must_be_positive_or_infinite_and_not_too_long()
    {
        using MultiUseSandbox sandbox = Build(Timeout.InfiniteTimeSpan);
        TimeSpan longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
        TimeSpan[] wrong = [TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.MinValue, longest + TimeSpan.FromTicks(1), TimeSpan.MaxValue];
        Assert.Multiple(() =>
        {
            foreach (TimeSpan limit in wrong)
            {
                Assert.That(() => sandbox.Call("f", [], limit), Throws.TypeOf<ArgumentOutOfRangeException>(), limit.ToString());
                Assert.That(() => new SandboxConfiguration { CallTimeout = limit }, Throws.TypeOf<ArgumentOutOfRangeException>(), limit.ToString());
            }
        });

        _guest.Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult);
        Assert.That(sandbox.Call<int>("f", [], longest), Is.EqualTo(3));
        Assert.That(sandbox.Call<int>("f", [], TimeSpan.FromHours(1)), Is.EqualTo(3));
        Assert.That(new SandboxConfiguration().CallTimeout, Is.EqualTo(Timeout.InfiniteTimeSpan));
    }

    private SandboxBuilder Builder(TimeSpan limit) =>
        _guest.Builder().WithConfiguration(new SandboxConfiguration { CallTimeout = limit });

    private MultiUseSandbox Build(TimeSpan limit)
    {
        _guest.Initialise();
        return Builder(limit).Build();
    }

    /// <summary>The guest runs until it is cancelled.</summary>
    private void Spin() => _guest.Then(() =>
    {
        _cancelled.Wait();
        return VmExit.Cancelled;
    });

    private VmExit Answer()
    {
        _guest.PopInput();
        _guest.PushOutput(GoldenVectors.IntResult);
        return ScriptedMachine.Halt;
    }
}

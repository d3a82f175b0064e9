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
    private bool _isEntered;

    [SetUp]
    public void SetUp()
    {
        _isEntered = false;
        _guest = new ScriptedMachine();
        _cancelled = new ManualResetEventSlim();
        _guest.Machine.Setup(m => m.Cancel()).Callback(_cancelled.Set);
    }

    [TearDown]
    public void TearDown() => _cancelled.Dispose();

    [Test]
    public void The_limit_of_a_call_ends_it_and_is_in_the_message()
    {
        using MultiUseSandbox sandbox = Build(null);
        Spin();

        BudgetExceededException error = Assert.Throws<BudgetExceededException>(() => sandbox.Call("f", [], Short))!;

        Assert.That(error.Reason, Is.EqualTo(CancellationReason.Timeout));
        Assert.That(error.Limit, Is.EqualTo(Short.Ticks));
        Assert.That(error.Message, Does.Contain("20 ms"));
        Assert.That(error.CancellationToken, Is.EqualTo(CancellationToken.None));

        // On a busy machine the time can be over before the guest is entered.
        Assert.That(sandbox.Status, Is.EqualTo(_isEntered ? SandboxStatus.Poisoned : SandboxStatus.Ready));
    }

    [Test]
    public void The_configured_limit_ends_each_call()
    {
        using MultiUseSandbox sandbox = Build(Short);
        Spin();

        Assert.That(
            () => sandbox.Call<int>("f", 1, 2),
            Throws.TypeOf<BudgetExceededException>().With.Property("Limit").EqualTo(Short.Ticks));
    }

    [Test]
    public void The_configured_limit_ends_a_call_with_a_token()
    {
        using var source = new CancellationTokenSource();
        using MultiUseSandbox sandbox = Build(Short);
        Spin();

        Assert.That(
            () => sandbox.Call<int>("f", [], source.Token),
            Throws.TypeOf<BudgetExceededException>().With.Property("Reason").EqualTo(CancellationReason.Timeout));
    }

    [Test]
    public void A_call_without_a_time_limit_has_the_configured_one()
    {
        using MultiUseSandbox sandbox = Build(Short);
        Spin();

        Assert.That(() => sandbox.Call<int>("f", [], Timeout.InfiniteTimeSpan), Throws.TypeOf<BudgetExceededException>());
    }

    [TestCase(20, 60_000)]
    [TestCase(60_000, 20)]
    public void The_tighter_time_limit_applies(int configured, int ofCall)
    {
        using MultiUseSandbox sandbox = Build(TimeSpan.FromMilliseconds(configured));
        Spin();

        Assert.That(
            () => sandbox.Call<int>("f", [], TimeSpan.FromMilliseconds(ofCall)),
            Throws.TypeOf<BudgetExceededException>().With.Property("Limit").EqualTo(Short.Ticks));
    }

    [Test]
    public void The_configured_limit_ends_the_initialisation_and_everything_is_released()
    {
        Spin();

        Assert.That(
            () => Builder(Short).Build(),
            Throws.TypeOf<BudgetExceededException>().With.Property("Reason").EqualTo(CancellationReason.Timeout));
        Assert.That(_guest.AllReleased, Is.True);
    }

    [Test]
    public void The_limit_of_a_call_that_has_ended_is_no_limit_of_the_next()
    {
        using MultiUseSandbox sandbox = Build(null);
        _guest.Answer(GoldenVectors.IntResult);
        Assert.That(sandbox.Call<int>("f", [], TimeSpan.FromMinutes(1)), Is.EqualTo(3));
        _guest.Then(() =>
        {
            TimeLimits.ExpireAll();
            Assert.That(_cancelled.IsSet, Is.False);
            return Answer();
        });

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void A_limit_that_ends_during_a_host_function_keeps_the_guest_out_afterwards()
    {
        using MultiUseSandbox sandbox = Build(null);
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

        Assert.That(() => sandbox.Call("f", [], Short), Throws.TypeOf<BudgetExceededException>());
    }

    [Test]
    public void A_limit_must_be_positive_or_infinite_and_not_too_long()
    {
        using MultiUseSandbox sandbox = Build(null);
        TimeSpan longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
        TimeSpan[] wrong = [TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.MinValue, longest + TimeSpan.FromTicks(1), TimeSpan.MaxValue];
        Assert.Multiple(() =>
        {
            foreach (TimeSpan limit in wrong)
            {
                Assert.That(() => sandbox.Call("f", [], limit), Throws.TypeOf<ArgumentOutOfRangeException>(), limit.ToString());
            }
        });

        _guest.Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult);
        Assert.That(sandbox.Call<int>("f", [], longest), Is.EqualTo(3));
        Assert.That(sandbox.Call<int>("f", [], TimeSpan.FromHours(1)), Is.EqualTo(3));
    }

    private SandboxBuilder Builder(TimeSpan? limit) =>
        _guest.Builder().WithConfiguration(new SandboxConfiguration { Budget = new CallBudget { WallClockTime = limit } });

    private MultiUseSandbox Build(TimeSpan? limit)
    {
        _guest.Initialise();
        return Builder(limit).Build();
    }

    /// <summary>The guest runs until it is cancelled.</summary>
    private void Spin() => _guest.Then(() =>
    {
        _isEntered = true;
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

using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The timer of a guest over a mocked driver: who asks the driver for what, and when.</summary>
internal sealed class GuestTimerOptionTests
{
    private const byte Vector = 0x20;

    /// <summary>In microseconds, so long that it ends only when a test says so.</summary>
    private const uint LongestPeriod = 10_000_000;

    private static readonly SandboxConfiguration WithTimer = new() { GuestTimer = true };

    private ScriptedMachine _guest = null!;
    private ManualResetEventSlim _asked = null!;
    private Mock<IInterruptInjector> _injector = null!;

    [SetUp]
    public void SetUp()
    {
        _guest = new ScriptedMachine();
        _asked = new ManualResetEventSlim();
        _injector = _guest.Machine.As<IInterruptInjector>();
        _injector.Setup(i => i.RequestExit()).Callback(_asked.Set);
        _guest.Hypervisor.Setup(h => h.InjectsInterrupts).Returns(true);
    }

    [TearDown]
    public void TearDown() => _asked.Dispose();

    [Test]
    public void A_driver_that_does_not_inject_interrupts_refuses_the_option_and_not_the_wish()
    {
        var guest = new ScriptedMachine();

        Assert.That(() => guest.Builder().WithConfiguration(WithTimer).Build(), Throws.TypeOf<UnsupportedConfigurationException>()
            .With.Message.Contains("GuestTimer is true, but the hypervisor is 'mock', which does not inject interrupts")
            .And.Property("Setting").EqualTo("GuestTimer"));
        guest.Hypervisor.Verify(h => h.CreateVirtualMachine(in It.Ref<VirtualMachineOptions>.IsAny), Times.Never);
        guest.Initialise();
        using MultiUseSandbox sandbox = guest.Builder().WithConfiguration(WithTimer with { IsGuestTimerOptional = true }).Build();
        Assert.That(sandbox.HasTimer, Is.False);
    }

    [Test]
    public void A_driver_that_says_it_injects_interrupts_and_does_not_is_an_error()
    {
        var guest = new ScriptedMachine();
        guest.Hypervisor.Setup(h => h.InjectsInterrupts).Returns(true);

        Assert.That(
            () => guest.Builder().WithConfiguration(WithTimer).Build(),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("do not inject interrupts"));
        Assert.That(guest.AllReleased, Is.True);
    }

    [TestCase(true, ExpectedResult = false)]
    [TestCase(false, ExpectedResult = true)]
    public bool A_guest_with_a_seed_has_a_timer_only_if_that_is_demanded(bool isOptional)
    {
        _guest.Initialise();
        using MultiUseSandbox sandbox = _guest.Builder()
            .WithConfiguration(WithTimer with { IsGuestTimerOptional = isOptional, RandomSeed = 1 }).Build();
        return sandbox.HasTimer;
    }

    [Test]
    public void The_interrupt_is_injected_between_two_entries_when_its_time_has_come()
    {
        using MultiUseSandbox sandbox = Build();
        _injector.Setup(i => i.TryInjectInterrupt(Vector)).Returns(true);
        _guest.Then(SetTimer(LongestPeriod)).Then(UntilPeriodEnds).Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));

        _injector.Verify(i => i.TryInjectInterrupt(Vector), Times.Once);
        _guest.Machine.Verify(m => m.Cancel(), Times.Never, "that could force the guest out");
    }

    [Test]
    public void A_guest_that_cannot_be_interrupted_is_asked_for_again_when_it_can()
    {
        using MultiUseSandbox sandbox = Build();
        _injector.SetupSequence(i => i.TryInjectInterrupt(Vector)).Returns(false).Returns(true);
        _guest.Then(SetTimer(1000)).Then(UntilAsked)
            .Then(VmExit.IoOut(0x21, 1, 1)).Then(VmExit.InterruptWindow)
            .Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));

        _injector.Verify(i => i.TryInjectInterrupt(Vector), Times.Exactly(2), "not at the exit in between");
    }

    [Test]
    public void An_interrupt_whose_time_has_come_is_the_only_one_until_it_is_injected()
    {
        using MultiUseSandbox sandbox = Build();
        _injector.Setup(i => i.TryInjectInterrupt(Vector)).Returns(false);
        int asked = 0;
        _guest.Then(SetTimer(1000)).Then(UntilAsked)
            .Then(() =>
            {
                _asked.Reset();
                Thread.Sleep(20);
                asked = _asked.IsSet ? 1 : 0;
                return VmExit.IoOut(0x80, 0, 1);
            })
            .Answer(GoldenVectors.IntResult);

        sandbox.Call<int>("f");

        Assert.That(asked, Is.Zero);
    }

    [Test]
    public void A_timer_that_is_stopped_or_whose_call_has_ended_asks_for_nothing([Values] bool isStopped)
    {
        using MultiUseSandbox sandbox = Build();
        _guest.Then(SetTimer(LongestPeriod));
        if (isStopped)
        {
            _guest.Then(SetTimer(0)).Then(() =>
            {
                TimeLimits.ExpireAll();
                return VmExit.IoOut(0x80, 0, 1);
            });
        }

        _guest.Answer(GoldenVectors.IntResult);
        sandbox.Call<int>("f");
        TimeLimits.ExpireAll();

        _injector.Verify(i => i.TryInjectInterrupt(It.IsAny<byte>()), Times.Never);
        _injector.Verify(i => i.RequestExit(), Times.Never);
    }

    private static VmExit SetTimer(uint period) => VmExit.IoOut(107, period, 4);

    private MultiUseSandbox Build()
    {
        _guest.Initialise();
        return _guest.Builder().WithConfiguration(WithTimer).Build();
    }

    private VmExit UntilPeriodEnds()
    {
        TimeLimits.ExpireAll();
        return UntilAsked();
    }

    private VmExit UntilAsked()
    {
        Assert.That(_asked.Wait(TimeSpan.FromSeconds(30)), Is.True, "the timer has asked for an exit");
        return VmExit.Cancelled;
    }
}

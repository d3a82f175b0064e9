using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Cancelling before, during and after a call, over a mocked driver.</summary>
[TestFixture]
internal sealed class CancellationTests : ScriptedSandboxTest
{
    [Test]
    public void Before_a_call_it_does_nothing_to_it()
    {
        Assert.That(Sandbox.InterruptHandle.Cancel(), Is.False);
        Guest.Then(VmExit.Cancelled).Answer(GoldenVectors.IntResult);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3), "the driver's late cancellation is ignored");
    }

    [Test]
    public void While_theGuest_runs_it_ends_the_call()
    {
        bool wasInGuest = false;
        Guest.Then(() =>
        {
            wasInGuest = Sandbox.InterruptHandle.Cancel();
            return VmExit.Cancelled;
        });

        Assert.That(
            () => Sandbox.Call<int>("f", [], CancellationToken.None),
            Throws.TypeOf<ExecutionCanceledException>()
                .With.Property("Reason").EqualTo(CancellationReason.InterruptHandle)
                .And.Property("CancellationToken").EqualTo(CancellationToken.None));
        Assert.That(wasInGuest, Is.True);
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Guest.Machine.Verify(m => m.Cancel(), Times.Once);
    }

    [Test]
    public void A_machine_that_ends_its_run_at_once_ends_the_call()
    {
        using var isCancelling = new ManualResetEventSlim();
        using var hasEnded = new ManualResetEventSlim();
        Task<bool>? cancelling = null;
        Guest.Machine.Setup(m => m.Cancel()).Callback(() =>
        {
            // The run ends before Cancel returns: by then the request must be known, or the guest would be entered again.
            isCancelling.Set();
            hasEnded.Wait(TimeSpan.FromSeconds(2));
        });
        Guest
            .Then(() =>
            {
                cancelling = Task.Run(Sandbox.InterruptHandle.Cancel);
                isCancelling.Wait(TimeSpan.FromMinutes(1));
                return VmExit.Cancelled;
            })
            .Answer(GoldenVectors.IntResult);

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<ExecutionCanceledException>());
        hasEnded.Set();
        Assert.That(cancelling!.GetAwaiter().GetResult(), Is.True, "the guest was running");
    }

    [Test]
    public void During_a_host_function_it_waits_for_the_function_and_keeps_theGuest_out()
    {
        bool? wasInGuest = null;
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            wasInGuest = Sandbox.InterruptHandle.Cancel();
            return a + b;
        });
        Guest.Then(() =>
        {
            Guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        });

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(wasInGuest, Is.False);
        Guest.Machine.Verify(m => m.Run(), Times.Exactly(2), "initialisation and one entry");
    }

    [Test]
    public void After_the_last_exit_it_does_nothing()
    {
        Guest.Answer(GoldenVectors.IntResult).Then(VmExit.Cancelled).Answer(GoldenVectors.IntResult);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(Sandbox.InterruptHandle.Cancel(), Is.False);
        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void A_token_ends_the_call_with_an_exception_that_has_the_token()
    {
        using var source = new CancellationTokenSource();
        Guest.Then(() =>
        {
            source.Cancel();
            return VmExit.Cancelled;
        });

        Assert.That(
            () => Sandbox.Call<int>("f", [], source.Token),
            Throws.TypeOf<ExecutionCanceledException>()
                .With.InstanceOf<OperationCanceledException>()
                .And.Property(nameof(ExecutionCanceledException.CancellationToken)).EqualTo(source.Token)
                .And.Property(nameof(ExecutionCanceledException.Reason)).EqualTo(CancellationReason.CancellationToken));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public void A_token_that_is_cancelled_already_keeps_theGuest_out_and_does_not_poison()
    {
        Assert.That(
            () => Sandbox.Call("f", [], new CancellationToken(canceled: true)),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.CancellationToken));
        AssertUsable();
    }

    [Test]
    public void A_token_that_is_cancelled_just_before_the_guest_is_entered_keeps_it_out()
    {
        var guest = new ScriptedMachine();
        using var source = new CancellationTokenSource();
        guest.Machine.Setup(m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny)).Callback(source.Cancel);

        Assert.That(() => guest.Builder().Build(source.Token), Throws.TypeOf<ExecutionCanceledException>());
        guest.Machine.Verify(m => m.Run(), Times.Never);
    }

    [Test]
    public void A_token_that_is_cancelled_while_the_arguments_are_sent_keeps_the_guest_out_and_does_not_poison()
    {
        using var source = new CancellationTokenSource();
        Guest.Machine.Setup(m => m.SetFpuRegisters(It.Ref<FpuRegisters>.IsAny)).Callback(source.Cancel);

        Assert.That(() => Sandbox.Call<int>("f", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());

        Guest.Machine.Verify(m => m.Run(), Times.Once, "the initialisation");
        Guest.Machine.Setup(m => m.SetFpuRegisters(It.Ref<FpuRegisters>.IsAny));
        AssertUsable();
    }

    [Test]
    public void A_dispose_that_lands_while_the_arguments_are_sent_keeps_the_guest_out()
    {
        Guest.Machine.Setup(m => m.SetFpuRegisters(It.Ref<FpuRegisters>.IsAny)).Callback(Sandbox.Dispose);

        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.Disposal));
        Guest.Machine.Verify(m => m.Run(), Times.Once, "the initialisation");
        Assert.That(Guest.AllReleased, Is.True);
    }

    [Test]
    public void The_first_of_several_requests_is_the_reason()
    {
        Guest.Then(() =>
        {
            Sandbox.InterruptHandle.Cancel();
            Sandbox.Dispose();
            return VmExit.Cancelled;
        });

        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.InterruptHandle));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Disposed));
    }

    [Test]
    public void A_driver_that_fails_to_cancel_throws_into_no_token_callback_and_is_asked_again()
    {
        using var source = new CancellationTokenSource();
        using var cancelled = new ManualResetEventSlim();
        int attempts = 0;
        Guest.Machine.Setup(m => m.Cancel()).Callback(() =>
        {
            if (++attempts < 3)
            {
                throw new HypervisorException("mock", "tgkill", 11, "EAGAIN");
            }

            cancelled.Set();
        });
        Guest.Then(() =>
        {
            Assert.That(source.Cancel, Throws.Nothing);
            Assert.That(cancelled.Wait(TimeSpan.FromSeconds(30)), Is.True);
            return VmExit.Cancelled;
        });

        Assert.That(() => Sandbox.Call<int>("f", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
    }

    [Test]
    public void A_release_that_fails_does_not_hide_why_the_call_ended()
    {
        Guest.Machine.Setup(m => m.Dispose()).Throws(new HypervisorException("mock", "close", 5, "EIO"));
        Guest.Then(() =>
        {
            Sandbox.Dispose();
            return VmExit.Cancelled;
        });

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(Guest.AllReleased, Is.True);
    }

    [Test]
    public void A_token_ends_the_initialisation_and_everything_is_released()
    {
        var guest = new ScriptedMachine();
        using var source = new CancellationTokenSource();
        guest.Then(() =>
        {
            source.Cancel();
            return VmExit.Cancelled;
        });

        Assert.That(() => guest.Builder().Build(source.Token), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(guest.AllReleased, Is.True);
        guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }
}

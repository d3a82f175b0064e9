using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A sandbox runs one call at a time, and can be disposed at any time.</summary>
[TestFixture]
internal sealed class ExclusiveUseTests : ScriptedSandboxTest
{
    [Test]
    public void A_call_from_within_a_host_function_is_refused_and_reaches_theGuest_as_an_error()
    {
        Exception? inner = null;
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            inner = Assert.Catch(() => Sandbox.Call<int>("g"));
            return a + b;
        });
        Guest.Then(() =>
        {
            Guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        }).Answer(GoldenVectors.IntResult);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(inner, Is.TypeOf<SandboxInUseException>());
    }

    [Test]
    public void A_concurrent_call_is_refused_and_the_first_completes()
    {
        using var entered = new ManualResetEventSlim();
        using var proceed = new ManualResetEventSlim();
        Guest.Then(() =>
        {
            entered.Set();
            proceed.Wait();
            return VmExit.MmioRead(0, 1);
        });
        Task<Exception?> first = Task.Run(() => Assert.Catch(() => Sandbox.Call<int>("f")));
        entered.Wait();

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<SandboxInUseException>());

        proceed.Set();
        Assert.That(first.Result, Is.TypeOf<MemoryAccessViolationException>());
    }

    [Test]
    public void Dispose_during_a_call_interrupts_it_and_the_call_releases_everything()
    {
        using var entered = new ManualResetEventSlim();
        using var cancelled = new ManualResetEventSlim();
        Guest.Machine.Setup(m => m.Cancel()).Callback(cancelled.Set);
        Guest.Then(() =>
        {
            entered.Set();
            cancelled.Wait();
            return VmExit.Cancelled;
        });
        Task<Exception?> call = Task.Run(() => Assert.Catch(() => Sandbox.Call<int>("f")));
        entered.Wait();

        Sandbox.Dispose();

        Assert.That(call.Result, Is.TypeOf<ExecutionCanceledException>());
        Assert.That(Guest.AllReleased, Is.True);
        Guest.Machine.Verify(m => m.Dispose(), Times.Once);
    }

    [Test]
    public void A_host_function_may_dispose_its_ownSandbox()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            Sandbox.Dispose();
            return a + b;
        });
        Guest.Then(() =>
        {
            Guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        });

        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(Guest.AllReleased, Is.True);
    }
}

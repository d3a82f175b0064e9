using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>Asynchronous calls: where they run, what they throw when, and how they end.</summary>
[TestFixture]
internal sealed class AsyncCallTests
{
    private readonly List<MultiUseSandbox> _sandboxes = [];
    private ScriptedMachine _guest = null!;
    private GuestThreads _threads = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _threads = new GuestThreads(1);
        _sandbox = Build(out _guest);
    }

    [TearDown]
    public void DisposeSandboxes()
    {
        _sandboxes.ForEach(sandbox => sandbox.Dispose());
        _sandboxes.Clear();
    }

    [Test]
    public async Task The_guest_runs_on_a_thread_of_the_library_and_its_caller_goes_on_elsewhere()
    {
        Thread? ranOn = null;
        _guest.Then(() =>
        {
            ranOn = Thread.CurrentThread;
            _guest.PopInput();
            _guest.PushOutput(GoldenVectors.IntResult);
            return ScriptedMachine.Halt;
        });

        int result = await _sandbox.CallAsync<int>("f").ConfigureAwait(false);
        Thread continuedOn = Thread.CurrentThread;

        Assert.That(result, Is.EqualTo(3));
        Assert.That(ranOn!.Name, Is.EqualTo("Hyperlight guest"));
        Assert.That(continuedOn, Is.Not.SameAs(ranOn));
        Assert.That(_threads.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task The_arguments_are_copied_before_the_call_returns()
    {
        using var mayRun = new ManualResetEventSlim();
        MultiUseSandbox other = Build(out ScriptedMachine blocking);
        blocking.Then(() =>
        {
            mayRun.Wait();
            return ScriptedMachine.Halt;
        });
        Task first = other.CallAsync("f");
        byte[]? sent = null;
        _guest.Then(() =>
        {
            sent = _guest.PopInput();
            _guest.PushOutput(GoldenVectors.IntResult);
            return ScriptedMachine.Halt;
        });

        GuestValue[] arguments = [1, 2];
        Task<int> call = _sandbox.CallAsync<int>("Add", arguments);
        arguments[0] = 7;
        mayRun.Set();

        Assert.That(async () => await first, Throws.TypeOf<GuestProtocolException>(), "that guest answers nothing");
        Assert.That(await call, Is.EqualTo(3));
        Assert.That(sent, Is.EqualTo(GoldenVectors.AddCall));
    }

    [Test]
    public void Wrong_arguments_are_reported_at_once()
    {
        Assert.That(() => { _ = _sandbox.CallAsync<int>(""); }, Throws.ArgumentException);
        Assert.That(() => { _ = _sandbox.CallAsync<int>("f", "\uDC00"); }, Throws.ArgumentException);
        Assert.That(() => { _ = _sandbox.CallAsync<decimal>("f"); }, Throws.TypeOf<NotSupportedException>());
        Assert.That(() => { _ = _sandbox.CallAsync<int>("f", [], TimeSpan.Zero); }, Throws.TypeOf<ArgumentOutOfRangeException>());
        AssertUsable();
    }

    [Test]
    public void A_sandbox_that_cannot_be_called_is_reported_by_the_task()
    {
        using var mayEnd = new ManualResetEventSlim();
        _guest.Then(() =>
        {
            mayEnd.Wait();
            throw new InvalidOperationException("broken");
        });
        Task<int> first = _sandbox.CallAsync<int>("f");
        Task<int> inUse = _sandbox.CallAsync<int>("f");
        Assert.That(inUse.Exception?.InnerException, Is.TypeOf<SandboxInUseException>());

        mayEnd.Set();
        Assert.That(async () => await first, Throws.InvalidOperationException.With.Message.EqualTo("broken"));
        Assert.That(_sandbox.CallAsync<int>("f").Exception?.InnerException, Is.TypeOf<SandboxPoisonedException>());

        _sandbox.Dispose();
        Assert.That(_sandbox.CallAsync<int>("f").Exception?.InnerException, Is.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public async Task A_token_that_is_cancelled_before_the_call_leaves_the_sandbox_usable()
    {
        Task<int> call = _sandbox.CallAsync<int>("f", [], new CancellationToken(canceled: true));

        ExecutionCanceledException error = (await Assert.ThrowsAsync<ExecutionCanceledException>(async () => await call))!;
        Assert.That(error.Reason, Is.EqualTo(CancellationReason.CancellationToken));
        Assert.That(call.IsCanceled, "the task is cancelled and not faulted");
        AssertUsable();
    }

    [TestCase(CancellationReason.CancellationToken)]
    [TestCase(CancellationReason.InterruptHandle)]
    [TestCase(CancellationReason.Timeout)]
    [TestCase(CancellationReason.Disposal)]
    public async Task A_call_that_waits_for_a_thread_ends_without_one(CancellationReason reason)
    {
        using var hasThread = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        MultiUseSandbox other = Build(out ScriptedMachine blocking);
        blocking.Then(() =>
        {
            hasThread.Set();
            mayEnd.Wait();
            return ScriptedMachine.Halt;
        });
        Task occupying = other.CallAsync("f");
        Assert.That(hasThread.Wait(TestTime.Patience));
        using var source = new CancellationTokenSource();

        Task<int> call = _sandbox.CallAsync<int>("f", [], TestTime.Patience, source.Token);
        Assert.That(call.IsCompleted, Is.False);
        Assert.That(CallEnd.Request(reason, _sandbox, source), Is.False, "the guest does not run");

        ExecutionCanceledException error = (await Assert.CatchAsync<ExecutionCanceledException>(async () => await call.WaitAsync(TestTime.Patience)))!;
        Assert.That(error.Reason, Is.EqualTo(reason));
        Assert.That(_threads.QueueLength, Is.Zero);
        Assert.That(occupying.IsCompleted, Is.False, "the only thread is still occupied");
        mayEnd.Set();
        Assert.That(async () => await occupying, Throws.TypeOf<GuestProtocolException>(), "that guest answers nothing");
        if (reason == CancellationReason.Disposal)
        {
            Assert.That(_guest.AllReleased, "nothing is left of the disposed sandbox");
        }
        else
        {
            AssertUsable();
        }
    }

    [Test]
    public async Task A_call_that_is_ended_in_the_guest_poisons()
    {
        using var source = new CancellationTokenSource();
        _guest.Then(() =>
        {
            source.Cancel();
            return Hyperlight.Abstractions.VmExit.Cancelled;
        });

        await Assert.ThrowsAsync<ExecutionCanceledException>(async () => await _sandbox.CallAsync<int>("f", [], source.Token));
        Assert.That(_sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
    }

    [Test]
    public async Task A_call_through_the_interface_is_the_same()
    {
        ISandbox mockable = _sandbox;
        _guest.Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult);
        Assert.That(await mockable.CallAsync<int>("Add", 1, 2), Is.EqualTo(3));
        Assert.That(await mockable.CallAsync<int>("Add", [1, 2], CancellationToken.None), Is.EqualTo(3));
        Assert.That(await mockable.CallAsync<int>("Add", [1, 2], TestTime.Patience), Is.EqualTo(3));

        _guest.Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult);
        await mockable.CallAsync("Add", 1, 2);
        await mockable.CallAsync("Add", [1, 2], CancellationToken.None);
        await mockable.CallAsync("Add", [1, 2], TestTime.Patience);
    }

    private MultiUseSandbox Build(out ScriptedMachine guest)
    {
        guest = new ScriptedMachine();
        guest.Initialise();
        MultiUseSandbox sandbox = guest.Builder().WithGuestThreads(_threads).Build();
        _sandboxes.Add(sandbox);
        return sandbox;
    }

    private void AssertUsable()
    {
        Assert.That(_sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
        _guest.Answer(GoldenVectors.IntResult);
        Assert.That(_sandbox.Call<int>("f"), Is.EqualTo(3), "the next call works");
    }
}

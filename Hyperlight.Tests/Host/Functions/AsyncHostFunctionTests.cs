using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Microsoft.Extensions.Logging;
using Moq;

namespace Hyperlight.Tests.Host.Functions;

/// <summary>Host functions that return tasks.</summary>
[TestFixture]
internal sealed class AsyncHostFunctionTests : ScriptedSandboxTest
{
    /// <summary>What the guest got from the host function.</summary>
    private byte[] _answer = [];

    [Test]
    public void The_result_of_a_task_is_the_type_of_the_function()
    {
        HostFunction? added = null;
        var target = new Mock<IHostFunctionRegistrar>();
        target.Setup(t => t.AddHostFunction(It.IsAny<HostFunction>())).Callback((HostFunction f) => added = f);

        // That this compiles is part of the test: no form is ambiguous.
        Expect("Int a()", t => t.WithHostFunction("a", async () =>
        {
            await Task.Yield();
            return 1;
        }));
        Expect("Void a()", t => t.WithHostFunction("a", async () => await Task.Yield()));
        Expect("Int a(Int, String)", t => t.WithHostFunction("a", async (int x, string y, CancellationToken token) =>
        {
            await Task.Delay(x, token);
            return y.Length;
        }));
        Expect("Void a(Int)", t => t.WithHostFunction("a", async (int x) => await Task.Delay(x)));
        Expect("Bytes a(Int)", t => t.WithHostFunction("a", (int x) => Task.FromResult(new byte[x])));
        Expect("Void a(Int)", t => t.WithHostFunction("a", (int x) => Task.CompletedTask));
        Expect("String a(Int)", t => t.WithHostFunction("a", (int x) => ValueTask.FromResult("")));
        Expect("Void a(Int)", t => t.WithHostFunction("a", (int x) => ValueTask.CompletedTask));
        Expect("Bool a(Int)", t => t.WithHostFunction("a", (int x) => true));
        Expect("Void a(Int)", t => t.WithHostFunction("a", (int x) => { }));
        Expect("Long a(Int)", t => t.WithHostFunction(
            "a", [GuestValueType.Int], GuestValueType.Long, async (arguments, token) =>
            {
                await Task.Yield();
                return (GuestValue)1L;
            }));
        Assert.That(() => target.Object.WithHostFunction("a", () => Task.FromResult(1m)), Throws.TypeOf<NotSupportedException>());

        void Expect(string signature, Action<IHostFunctionRegistrar> register)
        {
            register(target.Object);
            Assert.That(added!.ToString(), Is.EqualTo(signature));
        }
    }

    [Test]
    public void A_synchronous_call_waits_for_the_function()
    {
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            await Task.Delay(10);
            return (a * 10) + b;
        });
        Guest.Then(CallAdd).Then(AnswerWithResult);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(_answer, Is.EqualTo(WireMessages.EncodeValue(12)));
    }

    [Test]
    public async Task No_thread_waits_for_the_function()
    {
        var threads = new GuestThreads(1);
        var done = new TaskCompletionSource<int>();
        ScriptedMachine[] guests = [.. Enumerable.Range(0, 20).Select(_ => new ScriptedMachine())];
        MultiUseSandbox[] sandboxes =
        [
            .. guests.Select(guest => guest.Initialise().Builder()
                .WithGuestThreads(threads)
                .WithHostFunction("Add", (int a, int b) => done.Task)
                .Build()),
        ];
        foreach (ScriptedMachine guest in guests)
        {
            guest.Then(() =>
            {
                guest.PushOutput(GoldenVectors.AddCall);
                return VmExit.IoOut(101, 0, 4);
            }).Then(() =>
            {
                guest.PopInput();
                guest.PopInput();
                guest.PushOutput(GoldenVectors.IntResult);
                return ScriptedMachine.Halt;
            });
        }

        Task<int>[] calls = [.. sandboxes.Select(sandbox => sandbox.CallAsync<int>("f"))];
        Assert.That(SpinWait.SpinUntil(() => threads.QueueLength == 0 && Waiting() == 20, TestTime.Patience), "all guests wait");
        Assert.That(calls.Any(call => call.IsCompleted), Is.False);
        done.SetResult(5);

        Assert.That(await Task.WhenAll(calls).WaitAsync(TestTime.Patience), Is.All.EqualTo(3));
        Assert.That(threads.Count, Is.EqualTo(1));
        Array.ForEach(sandboxes, sandbox => sandbox.Dispose());

        int Waiting() => guests.Count(guest => guest.Machine.Invocations.Count(i => i.Method.Name == nameof(IVirtualMachine.Run)) == 2);
    }

    [Test]
    public async Task A_function_that_fails_after_it_has_waited_fails_as_any_other()
    {
        Sandbox.WithHostFunction("Add", async Task<int> (int a, int b) =>
        {
            await Task.Yield();
            throw new InvalidDataException("no data");
        });
        Guest.Then(CallAdd).Then(AnswerWithError);

        GuestErrorException error = (await Assert.ThrowsAsync<GuestErrorException>(async () => await Sandbox.CallAsync<int>("f")))!;
        Assert.That(error.InnerException, Is.TypeOf<InvalidDataException>());
        Assert.That(_answer, Is.EqualTo(WireMessages.EncodeError(GuestErrorCode.HostFunctionError, "no data")));
        AssertUsable();
    }

    [Test]
    public void A_function_that_returns_no_task_fails()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) => (Task<int>)null!);
        Guest.Then(CallAdd).Then(AnswerWithError);

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("f"))!;
        Assert.That(error.InnerException, Is.TypeOf<InvalidOperationException>().With.Message.Contains("returned null"));
    }

    [Test]
    public void A_dynamic_function_that_returns_another_type_fails()
    {
        Sandbox.WithHostFunction("Add", [GuestValueType.Int, GuestValueType.Int], GuestValueType.Int, async (arguments, token) =>
        {
            await Task.Yield();
            return (GuestValue)"text";
        });
        Guest.Then(CallAdd).Then(AnswerWithError);

        GuestErrorException error = Assert.Throws<GuestErrorException>(() => Sandbox.Call<int>("f"))!;
        Assert.That(error.InnerException, Is.TypeOf<GuestValueTypeException>());
    }

    [Test]
    public async Task The_execution_context_of_the_caller_flows_and_its_synchronization_context_does_not()
    {
        var local = new AsyncLocal<string> { Value = "caller" };
        string? seen = null;
        string? seenLater = null;
        SynchronizationContext? context = new();
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            seen = local.Value;
            context = SynchronizationContext.Current;
            await Task.Yield();
            seenLater = local.Value;
            return a + b;
        });
        Guest.Then(CallAdd).Then(AnswerWithResult);

        await Sandbox.CallAsync<int>("f");

        Assert.That(seen, Is.EqualTo("caller"));
        Assert.That(seenLater, Is.EqualTo("caller"));
        Assert.That(context, Is.Null);
    }

    [Test]
    public void A_function_does_not_wait_for_the_context_of_a_caller_that_waits_for_it()
    {
        var context = new Mock<SynchronizationContext> { CallBase = true };
        SynchronizationContext? within = context.Object;
        SynchronizationContext? before = SynchronizationContext.Current;
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            within = SynchronizationContext.Current;
            await Task.Delay(1);
            return a + b;
        });
        Guest.Then(CallAdd).Then(AnswerWithResult);
        SynchronizationContext.SetSynchronizationContext(context.Object);
        try
        {
            Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
            Assert.That(SynchronizationContext.Current, Is.SameAs(context.Object), "the caller has its own again");
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        Assert.That(within, Is.Null);
        context.Verify(c => c.Post(It.IsAny<SendOrPostCallback>(), It.IsAny<object?>()), Times.Never);
    }

    [Test]
    public void A_function_that_calls_its_own_sandbox_gets_an_error_at_once()
    {
        Exception? thrown = null;
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            await Task.Yield();
            thrown = await Assert.CatchAsync(async () => await Sandbox.CallAsync<int>("g"));
            return 1;
        });
        Guest.Then(CallAdd).Then(AnswerWithResult);

        Assert.That(async () => await Sandbox.CallAsync<int>("f"), Is.EqualTo(3));
        Assert.That(thrown, Is.TypeOf<SandboxInUseException>());
    }

    [Test]
    public async Task A_function_that_calls_another_sandbox_needs_no_second_thread()
    {
        var threads = new GuestThreads(1);
        var inner = new ScriptedMachine();
        using MultiUseSandbox other = inner.Initialise().Builder().WithGuestThreads(threads).Build();
        inner.Answer(GoldenVectors.IntResult);
        var outer = new ScriptedMachine();
        using MultiUseSandbox sandbox = outer.Initialise().Builder()
            .WithGuestThreads(threads)
            .WithHostFunction("Add", async (int a, int b) => await other.CallAsync<int>("g"))
            .Build();
        outer.Then(() =>
        {
            outer.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        }).Then(() =>
        {
            outer.PopInput();
            outer.PopInput();
            outer.PushOutput(GoldenVectors.IntResult);
            return ScriptedMachine.Halt;
        });

        Assert.That(await sandbox.CallAsync<int>("f").WaitAsync(TestTime.Patience), Is.EqualTo(3));
    }

    [Test]
    public void A_synchronous_call_on_a_scheduler_that_runs_one_task_at_a_time_does_not_wait_for_itself()
    {
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            await Task.Yield();
            await Task.Delay(1);
            return a + b;
        });
        int threadOfCaller = 0;
        int threadOfGuest = 0;
        Guest.Then(() =>
        {
            threadOfGuest = Environment.CurrentManagedThreadId;
            return CallAdd();
        }).Then(AnswerWithResult);

        Task<int> call = Task.Factory.StartNew(
            () =>
            {
                threadOfCaller = Environment.CurrentManagedThreadId;
                return Sandbox.Call<int>("f");
            },
            CancellationToken.None,
            TaskCreationOptions.None,
            new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);

        Assert.That(call.Wait(TestTime.Patience), Is.True);
        Assert.That(call.Result, Is.EqualTo(3));
        Assert.That(threadOfGuest, Is.EqualTo(threadOfCaller), "the guest runs on the calling thread");

        // What the call fails with is the caller's, unchanged.
        Guest.Then(VmExit.Shutdown);
        Task<int> failing = Task.Factory.StartNew(
            () => Sandbox.Call<int>("f"),
            CancellationToken.None,
            TaskCreationOptions.None,
            new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler);
        Assert.That(async () => await failing, Throws.TypeOf<UnexpectedVmExitException>());
    }

    [TestCase(CancellationReason.CancellationToken, true)]
    [TestCase(CancellationReason.InterruptHandle, true)]
    [TestCase(CancellationReason.Timeout, true)]
    [TestCase(CancellationReason.Disposal, true)]
    [TestCase(CancellationReason.CancellationToken, false)]
    [TestCase(CancellationReason.InterruptHandle, false)]
    [TestCase(CancellationReason.Timeout, false)]
    [TestCase(CancellationReason.Disposal, false)]
    public async Task A_call_that_is_ended_does_not_wait_for_the_function(CancellationReason reason, bool isAsynchronous)
    {
        // The function does not look at its token.
        var forever = new TaskCompletionSource<int>();
        using var entered = new ManualResetEventSlim();
        CancellationToken token = default;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken t) =>
        {
            token = t;
            entered.Set();
            return forever.Task;
        });
        Guest.Then(CallAdd);
        using var source = new CancellationTokenSource();

        Task<int> call = isAsynchronous
            ? Sandbox.CallAsync<int>("f", [], TestTime.Patience, source.Token)
            : Task.Factory.StartNew(
                () => Sandbox.Call<int>("f", [], TestTime.Patience, source.Token),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.That(entered.Wait(TestTime.Patience));
        CallEnd.Request(reason, Sandbox, source);

        ExecutionCanceledException error = (await Assert.CatchAsync<ExecutionCanceledException>(async () => await call.WaitAsync(TestTime.Patience)))!;
        Assert.That(error.Reason, Is.EqualTo(reason));
        Assert.That(SpinWait.SpinUntil(() => token.IsCancellationRequested, TestTime.Patience), "the function's token is cancelled");
        Assert.That(Sandbox.Status, Is.EqualTo(reason == CancellationReason.Disposal ? SandboxStatus.Disposed : SandboxStatus.Poisoned));
        Assert.That(Guest.AllReleased, Is.EqualTo(reason == CancellationReason.Disposal));

        // What the function yields afterwards goes nowhere.
        Assert.That(Sandbox.HasAbandonedHostFunctions);
        forever.SetResult(1);
        Assert.That(SpinWait.SpinUntil(() => !Sandbox.HasAbandonedHostFunctions, TestTime.Patience));
    }

    [TestCase(CancellationReason.CancellationToken)]
    [TestCase(CancellationReason.InterruptHandle)]
    [TestCase(CancellationReason.Disposal)]
    [TestCase(CancellationReason.Timeout)]
    public async Task A_callback_of_the_token_holds_up_neither_the_request_nor_the_end_of_the_call(CancellationReason reason)
    {
        using var entered = new ManualResetEventSlim();
        using var mayEnd = new ManualResetEventSlim();
        using var hasEnded = new ManualResetEventSlim();
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            token.Register(() =>
            {
                mayEnd.Wait();
                hasEnded.Set();
            });
            entered.Set();
            return new TaskCompletionSource<int>().Task;
        });
        Guest.Then(CallAdd);
        using var source = new CancellationTokenSource();
        Task<int> call = Sandbox.CallAsync<int>("f", [], TestTime.Patience, source.Token);
        Assert.That(entered.Wait(TestTime.Patience));

        await Task.Run(() => CallEnd.Request(reason, Sandbox, source)).WaitAsync(TestTime.Patience);
        await Assert.CatchAsync<ExecutionCanceledException>(async () => await call.WaitAsync(TestTime.Patience));

        Assert.That(hasEnded.IsSet, Is.False, "the callback still runs");
        mayEnd.Set();
        Assert.That(hasEnded.Wait(TestTime.Patience));
    }

    [Test]
    public async Task A_failure_after_the_end_of_the_call_is_logged()
    {
        var logger = new Mock<ILogger>();
        logger.Setup(l => l.IsEnabled(It.IsAny<LogLevel>())).Returns(true);
        var loggers = new Mock<ILoggerFactory>();
        loggers.Setup(l => l.CreateLogger(It.IsAny<string>())).Returns(logger.Object);
        var result = new TaskCompletionSource<int>();
        using var entered = new ManualResetEventSlim();
        using var source = new CancellationTokenSource();
        var guest = new ScriptedMachine();
        using MultiUseSandbox sandbox = guest.Initialise().Builder()
            .WithLogging(loggers.Object)
            .WithHostFunction("Add", (int a, int b) =>
            {
                entered.Set();
                return result.Task;
            })
            .Build();
        guest.Then(() =>
        {
            guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        });
        Task<int> call = sandbox.CallAsync<int>("f", [], source.Token);
        Assert.That(entered.Wait(TestTime.Patience));
        source.Cancel();
        await Assert.ThrowsAsync<ExecutionCanceledException>(async () => await call);

        result.SetException(new InvalidDataException("too late"));
        Assert.That(SpinWait.SpinUntil(() => !sandbox.HasAbandonedHostFunctions, TestTime.Patience));

        logger.Verify(l => l.Log(
            LogLevel.Warning,
            It.Is<EventId>(id => id.Name == "AbandonedHostFunctionFailed"),
            It.IsAny<It.IsAnyType>(),
            It.Is<Exception>(e => e is InvalidDataException),
            It.IsAny<Func<It.IsAnyType, Exception?, string>>()));
    }

    private VmExit CallAdd()
    {
        Guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }

    private VmExit AnswerWithResult() => AnswerWith(GoldenVectors.IntResult);

    private VmExit AnswerWithError() => AnswerWith(GoldenVectors.ErrorResult);

    /// <summary>The guest takes the function's answer and its own call, and answers.</summary>
    private VmExit AnswerWith(byte[] message)
    {
        _answer = Guest.PopInput();
        Guest.PopInput();
        Guest.PushOutput(message);
        return ScriptedMachine.Halt;
    }
}

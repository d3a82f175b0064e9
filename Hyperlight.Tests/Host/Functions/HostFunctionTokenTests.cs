using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Functions;

/// <summary>Host functions that take a token, which is cancelled with the call in which they run.</summary>
[TestFixture]
internal sealed class HostFunctionTokenTests : ScriptedSandboxTest
{
    [Test]
    public void The_token_is_no_parameter_of_the_guests()
    {
        HostFunction? added = null;
        var target = new Mock<IHostFunctionRegistrar>();
        target.Setup(t => t.AddHostFunction(It.IsAny<HostFunction>())).Callback((HostFunction f) => added = f);

        target.Object.WithHostFunction("a", (CancellationToken token) => { });
        Assert.That(added!.ToString(), Is.EqualTo("Void a()"));
        target.Object.WithHostFunction("b", (int x, string y, CancellationToken token) => x);
        Assert.That(added.ToString(), Is.EqualTo("Int b(Int, String)"));
        target.Object.WithHostFunction(
            "c", (int a, int b, int c, int d, int e, int f, int g, int h, int i, CancellationToken token) => 1L);
        Assert.That(added.ToString(), Is.EqualTo("Long c(Int, Int, Int, Int, Int, Int, Int, Int, Int)"));
    }

    [Test]
    public void A_token_that_is_not_the_last_parameter_is_refused() => Assert.That(
        () => Sandbox.WithHostFunction("f", (CancellationToken token, int x) => x),
        Throws.TypeOf<NotSupportedException>().With.Message.Contains("last parameter of host function 'f'"));

    [Test]
    public void A_token_is_no_result() =>
        Assert.That(() => Sandbox.WithHostFunction("f", () => CancellationToken.None), Throws.TypeOf<NotSupportedException>());

    [Test]
    public void The_arguments_reach_the_function_before_the_token()
    {
        CancellationToken seen = default;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            seen = token;
            return (a * 10) + b;
        });
        Guest.Then(CallAdd).Answer(GoldenVectors.IntResult);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(seen.CanBeCanceled, Is.True);
        Assert.That(seen.IsCancellationRequested, Is.False);
    }

    [TestCase(CancellationReason.CancellationToken)]
    [TestCase(CancellationReason.InterruptHandle)]
    [TestCase(CancellationReason.Disposal)]
    [TestCase(CancellationReason.Timeout)]
    public void Every_end_of_a_call_cancels_the_token(CancellationReason reason)
    {
        using var source = new CancellationTokenSource();
        using var inFunction = new ManualResetEventSlim();
        OperationCanceledException? thrown = null;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            inFunction.Set();
            try
            {
                // Waits by a callback of the token, not only by its flag.
                Task.Delay(Timeout.Infinite, token).Wait(CancellationToken.None);
            }
            catch (AggregateException exception)
            {
                thrown = (OperationCanceledException)exception.InnerException!;
                throw thrown;
            }

            return a + b;
        });
        Guest.Then(CallAdd);
        var canceller = new Thread(() =>
        {
            inFunction.Wait();
            CallEnd.Request(reason, Sandbox, source);
        });
        canceller.Start();

        TimeSpan limit = reason == CancellationReason.Timeout ? TimeSpan.FromMinutes(1) : Timeout.InfiniteTimeSpan;
        ExecutionCanceledException error = Assert.Catch<ExecutionCanceledException>(
            () => Sandbox.Call<int>("f", [], limit, source.Token))!;

        canceller.Join();
        Assert.That(error.Reason, Is.EqualTo(reason));
        Assert.That(error.InnerException, Is.SameAs(thrown), "what the host function threw is not lost");
        Guest.Machine.Verify(m => m.Run(), Times.Exactly(2), "initialisation and one entry");
    }

    [Test]
    public void A_function_that_starts_after_the_request_gets_a_cancelled_token()
    {
        bool? isCancelled = null;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            isCancelled = token.IsCancellationRequested;
            return a + b;
        });
        Guest.Then(() =>
        {
            Sandbox.InterruptHandle.Cancel();
            return CallAdd();
        });

        Assert.That(() => Sandbox.Call("f"), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(isCancelled, Is.True);
    }

    [Test]
    public void The_token_of_a_call_that_has_ended_is_not_cancelled_with_the_next()
    {
        var tokens = new List<CancellationToken>();
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            tokens.Add(token);
            return a + b;
        });
        Guest.Then(CallAdd).Then(CallAdd).Answer(GoldenVectors.IntResult);
        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Guest.Then(() =>
        {
            Sandbox.InterruptHandle.Cancel();
            return VmExit.Cancelled;
        });

        Assert.That(() => Sandbox.Call("f"), Throws.TypeOf<ExecutionCanceledException>());

        Assert.That(tokens, Has.Count.EqualTo(2));
        Assert.That(tokens[0], Is.EqualTo(tokens[1]), "one token for a call");
        Assert.That(tokens[0].IsCancellationRequested, Is.False);
    }

    [Test]
    public void An_exception_of_a_callback_is_caught_and_the_call_ends()
    {
        using var source = new CancellationTokenSource();
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            token.Register(() => throw new InvalidOperationException("callback"));
            Assert.That(source.Cancel, Throws.Nothing);
            return a + b;
        });
        Guest.Then(CallAdd);

        Assert.That(() => Sandbox.Call("f", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
    }

    private VmExit CallAdd()
    {
        Guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }
}

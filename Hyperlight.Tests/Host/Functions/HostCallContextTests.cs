using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Functions;

/// <summary>What a host function can learn about the call in which it runs.</summary>
[TestFixture]
internal sealed class HostCallContextTests : ScriptedSandboxTest
{
    [Test]
    public void There_is_none_outside_of_host_functions()
    {
        Sandbox.WithHostFunction("Add", (int a, int b) => a + b);
        Guest.Then(CallAdd).Then(AnswerAfterHostCall);
        Sandbox.Call<int>("f");

        Assert.That(HostCallContext.Current, Is.Null);
    }

    [Test]
    public void A_function_finds_its_name_and_what_the_call_has_used()
    {
        HostCallContext? context = null;
        CallStatistics used = default;
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            context = HostCallContext.Current;
            used = context!.Used;
            Assert.That(HostCallContext.Current, Is.SameAs(context));
            Assert.That(context.CancellationToken.IsCancellationRequested, Is.False);
            return a + b;
        });
        Guest.Then(CallAdd).Then(CallAdd).Then(AnswerAfterTwo);

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));

        Assert.That(context!.FunctionName, Is.EqualTo("Add"));
        Assert.That(used.HostCalls, Is.EqualTo(2));
        Assert.That(context.Used, Is.EqualTo(default(CallStatistics)), "the call has ended");
        Assert.That(context.CancellationToken.IsCancellationRequested, Is.True, "the call has ended");
    }

    [Test]
    public void The_token_is_the_one_of_the_parameter()
    {
        bool same = false;
        Sandbox.WithHostFunction("Add", (int a, int b, CancellationToken token) =>
        {
            same = HostCallContext.Current!.CancellationToken == token;
            return a + b;
        });
        Guest.Then(CallAdd).Then(AnswerAfterHostCall);

        Sandbox.Call<int>("f");

        Assert.That(same, Is.True);
    }

    [Test]
    public void A_call_of_another_sandbox_has_its_own_and_the_outer_one_comes_back()
    {
        var names = new List<string?>();
        var inner = new ScriptedMachine();
        using MultiUseSandbox other = inner.Build();
        other.WithHostFunction("Add", (int a, int b) =>
        {
            names.Add($"inner {HostCallContext.Current?.FunctionName} {HostCallContext.Current?.Used.HostCalls}");
            return a + b;
        });
        Sandbox.WithHostFunction("Add", (int a, int b) =>
        {
            HostCallContext outer = HostCallContext.Current!;
            inner.Then(() => CallAdd(inner)).Then(() => AnswerAfterHostCall(inner));
            other.Call<int>("g");
            names.Add(HostCallContext.Current == outer ? "outer" : "another");
            return a + b;
        });
        Guest.Then(CallAdd).Then(CallAdd).Then(AnswerAfterTwo);

        Sandbox.Call<int>("f");

        Assert.That(names, Is.EqualTo(new[] { "inner Add 1", "outer", "inner Add 1", "outer" }));
        Assert.That(HostCallContext.Current, Is.Null);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task It_flows_with_an_asynchronous_function(bool isAsynchronousCall)
    {
        HostCallContext?[] seen = new HostCallContext?[3];
        using var source = new CancellationTokenSource();
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            seen[0] = HostCallContext.Current;
            await Task.Yield();
            seen[1] = HostCallContext.Current;
            await Task.Run(() => seen[2] = HostCallContext.Current);
            await source.CancelAsync();
            await Task.Delay(Timeout.Infinite, HostCallContext.Current!.CancellationToken);
            return a + b;
        });
        Guest.Then(CallAdd);

        await Assert.CatchAsync<ExecutionCanceledException>(async () => await (isAsynchronousCall
            ? Sandbox.CallAsync<int>("f", [], source.Token)
            : Task.Run(() => Sandbox.Call<int>("f", [], source.Token))).WaitAsync(TestTime.Patience));

        Assert.That(seen[0]!.FunctionName, Is.EqualTo("Add"));
        Assert.That(seen, Is.All.SameAs(seen[0]));
        Assert.That(HostCallContext.Current, Is.Null);
    }

    [Test]
    public async Task Asynchronous_code_that_continues_within_another_function_keeps_its_own()
    {
        var gate = new TaskCompletionSource();
        HostCallContext? before = null;
        HostCallContext? after = null;
        Sandbox.WithHostFunction("Add", async (int a, int b) =>
        {
            before = HostCallContext.Current;
            await gate.Task.ConfigureAwait(false);
            after = HostCallContext.Current;
            return a + b;
        });
        Guest.Then(CallAdd).Then(AnswerAfterHostCall);
        Task<int> call = Sandbox.CallAsync<int>("f");
        Assert.That(SpinWait.SpinUntil(() => before is not null, TestTime.Patience));

        // The continuation runs inside the function of the other sandbox.
        var inner = new ScriptedMachine();
        using MultiUseSandbox other = inner.Build();
        other.WithHostFunction("Add", (int a, int b) =>
        {
            gate.SetResult();
            return a + b;
        });
        inner.Then(() => CallAdd(inner)).Then(() => AnswerAfterHostCall(inner));
        other.Call<int>("g");

        await call.WaitAsync(TestTime.Patience);
        Assert.That(after, Is.SameAs(before));
    }

    private VmExit CallAdd() => CallAdd(Guest);

    private VmExit AnswerAfterHostCall() => AnswerAfterHostCall(Guest);

    private VmExit AnswerAfterTwo()
    {
        Guest.PopInput();
        return AnswerAfterHostCall();
    }

    private static VmExit CallAdd(ScriptedMachine guest)
    {
        guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }

    /// <summary>Takes the result of the host function and its own call, and answers.</summary>
    private static VmExit AnswerAfterHostCall(ScriptedMachine guest)
    {
        guest.PopInput();
        guest.PopInput();
        guest.PushOutput(GoldenVectors.IntResult);
        return ScriptedMachine.Halt;
    }
}

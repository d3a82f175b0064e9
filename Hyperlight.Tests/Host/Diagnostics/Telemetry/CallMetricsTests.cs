using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Moq;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>What each instrument has recorded after a scripted life of a sandbox.</summary>
[TestFixture]
internal sealed class CallMetricsTests
{
    private ScriptedMachine _guest = null!;
    private RecordedMetrics _metrics = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _guest = new ScriptedMachine();
        _metrics = new RecordedMetrics();
        _guest.Initialise();
        _sandbox = _guest.Builder().WithMetrics(_metrics).Build();
    }

    [TearDown]
    public void Dispose()
    {
        _sandbox.Dispose();
        _metrics.Dispose();
    }

    [Test]
    public void A_call_that_returns_is_counted_with_its_function()
    {
        _guest.Answer(GoldenVectors.IntResult).Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("Add");
        _sandbox.Call<int>("Add");

        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Add outcome=ok: 2" }));
        Assert.That(_metrics.Of("hyperlight.call.active"), Is.Empty);
        Assert.That(_metrics.Of("hyperlight.sandbox.create.duration"), Is.EqualTo(new[] { "driver=mock origin=guest outcome=ok: 1" }));
        Assert.That(_metrics.Of("hyperlight.vcpu.exits"), Is.EqualTo(new[] { "driver=mock kind=halt: 3" }));
    }

    [Test]
    public void A_call_in_progress_is_active()
    {
        string[] active = [];
        _guest.Then(() =>
        {
            active = _metrics.Of("hyperlight.call.active");
            return VmExit.IoOut(108, 0, 4);
        });

        Assert.That(() => _sandbox.Call("Add"), Throws.TypeOf<GuestProtocolException>());
        Assert.That(active, Is.EqualTo(new[] { "driver=mock: 1" }));
        Assert.That(_metrics.Of("hyperlight.call.active"), Is.Empty);
    }

    [Test]
    public void An_error_of_a_guest_is_counted_with_its_code()
    {
        _guest.Answer(GoldenVectors.ErrorResult);
        Assert.That(() => _sandbox.Call<int>("Fail"), Throws.TypeOf<GuestErrorException>());

        Assert.That(_metrics.Of("hyperlight.guest.errors"), Is.EqualTo(new[] { "code=GuestError driver=mock kind=error: 1" }));
        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Fail outcome=guest_error: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.poisonings"), Is.Empty);
    }

    [Test]
    public void An_abort_is_counted_with_its_code_and_poisons()
    {
        // Two bytes: the code, and the end of the abort. There is no message.
        _guest.Then(VmExit.IoOut(102, 0x00FF_0D02, 4));
        Assert.That(() => _sandbox.Call<int>("Abort"), Throws.TypeOf<GuestAbortedException>());

        Assert.That(_metrics.Of("hyperlight.guest.errors"), Is.EqualTo(new[] { "code=OutOfMemory driver=mock kind=abort: 1" }));
        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Abort outcome=aborted: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.poisonings"), Is.EqualTo(new[] { "driver=mock outcome=aborted: 1" }));
        Assert.That(_metrics.Of("hyperlight.vcpu.exits"), Is.EqualTo(new[] { "driver=mock kind=abort: 1", "driver=mock kind=halt: 1" }));
    }

    [TestCase(CancellationReason.CancellationToken, "cancellation_token", Outcome.Canceled)]
    [TestCase(CancellationReason.InterruptHandle, "interrupt_handle", Outcome.Canceled)]
    [TestCase(CancellationReason.Disposal, "disposal", Outcome.Canceled)]
    [TestCase(CancellationReason.Timeout, "timeout", Outcome.TimedOut)]
    public void A_call_that_is_ended_is_counted_with_the_reason(CancellationReason reason, string tag, string outcome)
    {
        using var source = new CancellationTokenSource();
        using var isCancelled = new ManualResetEventSlim();
        _guest.Machine.Setup(m => m.Cancel()).Callback(isCancelled.Set);
        _guest.Then(() =>
        {
            CallEnd.Request(reason, _sandbox, source);
            Assert.That(isCancelled.Wait(TimeSpan.FromSeconds(30)));
            return VmExit.Cancelled;
        });

        TimeSpan timeout = reason == CancellationReason.Timeout ? TimeSpan.FromMinutes(1) : Timeout.InfiniteTimeSpan;
        Assert.That(() => _sandbox.Call<int>("Spin", [], timeout, source.Token), Throws.InstanceOf<ExecutionCanceledException>());

        Assert.That(_metrics.Of("hyperlight.call.cancellations"), Is.EqualTo(new[] { $"driver=mock reason={tag}: 1" }));
        string function = outcome == Outcome.Canceled ? Tags.Other : "Spin";
        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { $"driver=mock function={function} outcome={outcome}: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.poisonings"), Is.EqualTo(new[] { $"driver=mock outcome={outcome}: 1" }));
    }

    [TestCase(BudgetKind.WallClockTime, "wall_clock_time", "timeout", Outcome.TimedOut)]
    [TestCase(BudgetKind.CpuTime, "cpu_time", "budget", Outcome.BudgetExceeded)]
    [TestCase(BudgetKind.HostCalls, "host_calls", "budget", Outcome.BudgetExceeded)]
    public void A_call_that_exceeds_a_budget_is_counted_with_the_limit(BudgetKind kind, string tag, string reason, string outcome)
    {
        using var isCancelled = new ManualResetEventSlim();
        _guest.Machine.Setup(m => m.Cancel()).Callback(isCancelled.Set);
        _guest.Then(() =>
        {
            if (kind == BudgetKind.HostCalls)
            {
                return CallHost();
            }

            if (kind == BudgetKind.WallClockTime)
            {
                // Not before the guest runs.
                TimeLimits.ExpireAll();
            }

            Assert.That(isCancelled.Wait(TimeSpan.FromSeconds(30)));
            return VmExit.Cancelled;
        });
        CallBudget budget = kind switch
        {
            BudgetKind.WallClockTime => new CallBudget { WallClockTime = TimeSpan.FromMinutes(1) },
            BudgetKind.CpuTime => new CallBudget { CpuTime = TimeSpan.FromMilliseconds(1) },
            _ => new CallBudget { HostCalls = 0 },
        };

        Assert.That(() => _sandbox.Call<int>("Spin", [], budget), Throws.TypeOf<BudgetExceededException>());

        Assert.That(_metrics.Of("hyperlight.call.budgets_exceeded"), Is.EqualTo(new[] { $"budget={tag} driver=mock: 1" }));
        Assert.That(_metrics.Of("hyperlight.call.cancellations"), Is.EqualTo(new[] { $"driver=mock reason={reason}: 1" }));
        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { $"driver=mock function=Spin outcome={outcome}: 1" }));
    }

    [Test]
    public void A_cancellation_that_comes_late_is_counted()
    {
        _guest.Then(VmExit.Cancelled).Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("Add");

        Assert.That(_metrics.Of("hyperlight.vcpu.late_cancellations"), Is.EqualTo(new[] { "driver=mock: 1" }));
    }

    [Test]
    public void A_call_that_is_refused_takes_no_place_for_the_name_of_its_function()
    {
        _guest.Then(VmExit.Shutdown);
        Assert.That(() => _sandbox.Call<int>("Crash"), Throws.TypeOf<UnexpectedVmExitException>());
        Assert.That(() => _sandbox.Call<int>("Add"), Throws.TypeOf<SandboxPoisonedException>());

        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[]
        {
            "driver=mock function=Crash outcome=fault: 1", "driver=mock function=_OTHER outcome=rejected: 1",
        }));
    }

    [Test]
    public void An_unknown_function_takes_no_place_for_its_name()
    {
        _guest.Answer(WireMessages.EncodeError(GuestErrorCode.GuestFunctionNotFound, "Injected"));
        Assert.That(() => _sandbox.Call<int>("Injected"), Throws.TypeOf<GuestErrorException>());

        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=_OTHER outcome=guest_error: 1" }));
        Assert.That(_metrics.Of("hyperlight.guest.errors"), Is.EqualTo(new[] { "code=GuestFunctionNotFound driver=mock kind=error: 1" }));
    }

    [Test]
    public async Task Callers_cannot_fill_the_places_with_names()
    {
        var cancelled = new CancellationToken(canceled: true);
        byte[] large = new byte[1 << 20];
        Assert.That(() => _sandbox.Call<int>("a", [], cancelled), Throws.TypeOf<ExecutionCanceledException>());
        await Assert.ThatAsync(() => _sandbox.CallAsync<int>("b", [], cancelled), Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(() => _sandbox.Call<int>("c", large), Throws.TypeOf<MessageTooLargeException>());
        await Assert.ThatAsync(() => _sandbox.CallAsync<int>("d", large), Throws.TypeOf<MessageTooLargeException>());
        Assert.That(() => _sandbox.Call<int>("e", [], new CallBudget { Instructions = 1 }), Throws.TypeOf<UnsupportedConfigurationException>());

        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[]
        {
            "driver=mock function=_OTHER outcome=canceled: 2", "driver=mock function=_OTHER outcome=error: 3",
        }));
    }

    [Test]
    public void A_function_that_has_answered_keeps_its_name_when_its_call_is_cancelled()
    {
        _guest.Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("Add");
        Assert.That(() => _sandbox.Call<int>("Add", [], new CancellationToken(canceled: true)), Throws.TypeOf<ExecutionCanceledException>());

        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[]
        {
            "driver=mock function=Add outcome=canceled: 1", "driver=mock function=Add outcome=ok: 1",
        }));
    }

    [Test]
    public void The_number_of_functions_is_limited()
    {
        for (int i = 0; i <= TagValues.MaximumCount; i++)
        {
            _guest.Answer(GoldenVectors.IntResult);
            _sandbox.Call<int>($"f{i}");
        }

        string[] values = _metrics.Of("hyperlight.call.duration");
        Assert.That(values, Has.Length.EqualTo(TagValues.MaximumCount + 1));
        Assert.That(values, Does.Contain("driver=mock function=_OTHER outcome=ok: 1"));
        Assert.That(values, Does.Contain("driver=mock function=f99 outcome=ok: 1"));
    }

    [Test]
    public void Host_functions_are_counted_by_name_and_outcome()
    {
        _sandbox.AddHostFunction(HostFunctionNamed("Add", static (a, b) => b == 2 ? a + b : throw new InvalidOperationException()));
        _guest.Then(CallHost).Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("f");
        _sandbox.RemoveHostFunction("Add");
        _guest.Then(CallHost).Answer(GoldenVectors.ErrorResult);
        Assert.That(() => _sandbox.Call<int>("f"), Throws.TypeOf<GuestErrorException>());
        _sandbox.AddHostFunction(HostFunctionNamed("Add", static (_, _) => throw new InvalidOperationException()));
        _guest.Then(CallHost).Answer(GoldenVectors.ErrorResult);
        Assert.That(() => _sandbox.Call<int>("f"), Throws.TypeOf<GuestErrorException>());

        Assert.That(_metrics.Of("hyperlight.host_call.duration"), Is.EqualTo(new[]
        {
            "driver=mock host_function=Add outcome=error: 1",
            "driver=mock host_function=Add outcome=ok: 1",
            "driver=mock host_function=_OTHER outcome=error: 1",
        }));
        Assert.That(_metrics.Of("hyperlight.vcpu.exits"), Is.EqualTo(new[] { "driver=mock kind=halt: 4", "driver=mock kind=host_call: 3" }));
    }

    [Test]
    public async Task An_asynchronous_host_function_is_counted_when_it_has_completed_or_was_abandoned()
    {
        var first = new TaskCompletionSource<int>();
        using var entered = new SemaphoreSlim(0);
        _sandbox.WithHostFunction("Add", (int _, int _) =>
        {
            entered.Release();
            return first.Task;
        });
        _guest.Then(CallHost).Answer(GoldenVectors.IntResult);
        Task<int> call = _sandbox.CallAsync<int>("f");
        Assert.That(await entered.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.That(_metrics.Of("hyperlight.host_call.duration"), Is.Empty);
        first.SetResult(3);
        Assert.That(await call, Is.EqualTo(3));
        Assert.That(_metrics.Of("hyperlight.host_call.duration"), Is.EqualTo(new[] { "driver=mock host_function=Add outcome=ok: 1" }));

        first = new TaskCompletionSource<int>();
        _guest.Then(CallHost);
        call = _sandbox.CallAsync<int>("f", [], TimeSpan.FromMinutes(1));
        Assert.That(await entered.WaitAsync(TimeSpan.FromMinutes(1)));
        TimeLimits.ExpireAll();
        await Assert.ThatAsync(async () => await call, Throws.TypeOf<BudgetExceededException>());
        Assert.That(_metrics.Of("hyperlight.host_call.duration"), Is.EqualTo(new[]
        {
            "driver=mock host_function=Add outcome=abandoned: 1", "driver=mock host_function=Add outcome=ok: 1",
        }));
        Assert.That(_metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[]
        {
            "driver=mock function=f outcome=ok: 1", "driver=mock function=f outcome=timed_out: 1",
        }));
        Assert.That(_metrics.Of("hyperlight.call.active"), Is.Empty);
    }

    [Test]
    public void Snapshots_and_restores_are_counted()
    {
        using (Snapshot snapshot = _sandbox.TakeSnapshot())
        {
            _sandbox.Restore(snapshot);
            _guest.Forget();
            using MultiUseSandbox other = _guest.Builder().WithMetrics(_metrics).WithSnapshot(snapshot).Build();
        }

        Assert.That(_metrics.Of("hyperlight.sandbox.snapshot.duration"), Is.EqualTo(new[] { "driver=mock outcome=ok: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.restore.duration"), Is.EqualTo(new[] { "driver=mock outcome=ok: 1" }));
        Assert.That(_metrics.Of("hyperlight.sandbox.create.duration"), Is.EqualTo(new[]
        {
            "driver=mock origin=guest outcome=ok: 1", "driver=mock origin=snapshot outcome=ok: 1",
        }));
    }

    [Test]
    public void A_guest_that_fails_to_initialise_is_counted()
    {
        _guest.Forget();
        _guest.Then(VmExit.IoOut(102, 0x00FF_0D02, 4));
        Assert.That(() => _guest.Builder().WithMetrics(_metrics).Build(), Throws.TypeOf<GuestInitializationException>());

        Assert.That(_metrics.Of("hyperlight.sandbox.create.duration"), Does.Contain("driver=mock origin=guest outcome=aborted: 1"));
        Assert.That(_metrics.Of("hyperlight.guest.errors"), Is.EqualTo(new[] { "code=OutOfMemory driver=mock kind=abort: 1" }));
    }

    [Test]
    public void Every_instrument_has_a_name_a_unit_and_a_description_of_the_conventions()
    {
        Assert.That(_metrics.Meters.Select(m => m.Name), Is.EqualTo(new[] { "Hyperlight" }));
        Assert.That(_metrics.Instruments, Has.Count.GreaterThan(10));
        foreach (System.Diagnostics.Metrics.Instrument instrument in _metrics.Instruments)
        {
            Assert.That(instrument.Name, Does.Match("^hyperlight(\\.[a-z][a-z_]*)+$"));
            Assert.That(instrument.Unit, Does.Match("^(s|By|\\{[a-z]+\\})$"), instrument.Name);
            Assert.That(instrument.Description, Does.EndWith("."), instrument.Name);
        }
    }

    private static HostFunction HostFunctionNamed(string name, Func<int, int, int> body)
    {
        HostFunction? function = null;
        var registrar = new Mock<IHostFunctionRegistrar>();
        registrar.Setup(r => r.AddHostFunction(It.IsAny<HostFunction>())).Callback((HostFunction f) => function = f);
        registrar.Object.WithHostFunction(name, body);
        return function!;
    }

    private VmExit CallHost()
    {
        _guest.PopInput();
        _guest.PushOutput(GoldenVectors.AddCall);
        return VmExit.IoOut(101, 0, 4);
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Host.Budgets;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Moq;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>Whatever ends one operation has no effect on the next, and is not kept.</summary>
[TestFixture]
internal sealed class InterrupterTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    private readonly Mock<IVirtualMachine> _machine = new();
    private SandboxGate _gate = null!;
    private CallMeter _meter = null!;
    private DeadlineTimer _timer = null!;
    private Interrupter _interrupts = null!;

    [SetUp]
    public void Begin()
    {
        _machine.Reset();
        _gate = new SandboxGate();
        _meter = new CallMeter(new InstructionLimit("mock", _machine.Object, limit: null));

        // Deadlines expire when a test says so.
        _timer = new DeadlineTimer { StartThread = static _ => { } };
        _interrupts = new Interrupter(_gate, _machine.Object, _meter, NullLogger.Instance, _timer);
        _gate.Enter("calling", this);
    }

    [Test]
    public void A_time_limit_ends_its_operation()
    {
        using Interrupter.Watch watch = Begin(Limit, CancellationToken.None);

        Assert.That(ExpireAll(), Is.EqualTo(1));

        Assert.That(_gate.RequestedReason, Is.EqualTo(CancellationReason.Timeout));
        _machine.Verify(m => m.Cancel(), Times.Once);
    }

    [Test]
    public void A_time_limit_is_disarmed_with_its_operation()
    {
        Begin(Limit, CancellationToken.None).Dispose();

        Assert.That(ExpireAll(), Is.Zero);
    }

    [Test]
    public async Task A_time_limit_of_an_asynchronous_operation_is_disarmed_with_it()
    {
        await Begin(Limit, CancellationToken.None).DisposeAsync();

        Assert.That(ExpireAll(), Is.Zero);
    }

    [Test]
    public void A_cancellation_is_not_repeated_after_its_operation()
    {
        _machine.Setup(m => m.Cancel()).Throws(new HypervisorException("mock", "Cancel", 11, "EAGAIN"));
        using (Begin(Timeout.InfiniteTimeSpan, CancellationToken.None))
        {
            _interrupts.Request(CancellationReason.InterruptHandle);
            Assert.That(ExpireAll(), Is.EqualTo(1), "it is repeated");
            _machine.Verify(m => m.Cancel(), Times.Exactly(2));
        }

        Assert.That(ExpireAll(), Is.Zero);
    }

    [Test]
    public void A_token_has_no_effect_after_its_operation()
    {
        using var source = new CancellationTokenSource();
        Begin(Timeout.InfiniteTimeSpan, source.Token).Dispose();
        BeginNext();

        source.Cancel();

        Assert.That(_gate.RequestedReason, Is.Null);
        _machine.Verify(m => m.Cancel(), Times.Never);
    }

    [Test]
    public void Each_operation_gives_its_host_functions_a_token_of_its_own()
    {
        CancellationToken first;
        using (Begin(Timeout.InfiniteTimeSpan, CancellationToken.None))
        {
            first = _interrupts.GetHostFunctionToken(_gate.Operation);
            Assert.That(_interrupts.GetHostFunctionToken(_gate.Operation), Is.EqualTo(first), "one for all functions of a call");
        }

        BeginNext();
        using Interrupter.Watch watch = Begin(Timeout.InfiniteTimeSpan, CancellationToken.None);
        CancellationToken second = _interrupts.GetHostFunctionToken(_gate.Operation);
        _interrupts.Request(CancellationReason.InterruptHandle);

        Assert.That(second.WaitHandle.WaitOne(TimeSpan.FromMinutes(1)));
        Assert.That(first.IsCancellationRequested, Is.False);
    }

    [Test]
    public void A_call_that_has_ended_has_no_token_but_a_cancelled_one()
    {
        ulong ended = _gate.Operation;
        using (Begin(Timeout.InfiniteTimeSpan, CancellationToken.None))
        {
            Assert.That(_interrupts.GetHostFunctionToken(ended).IsCancellationRequested, Is.False);
        }

        BeginNext();

        Assert.That(_interrupts.GetHostFunctionToken(ended).IsCancellationRequested, Is.True);
    }

    [Test]
    public void A_token_that_is_made_after_the_request_is_cancelled()
    {
        _interrupts.Request(CancellationReason.InterruptHandle);

        Assert.That(_interrupts.GetHostFunctionToken(_gate.Operation).IsCancellationRequested, Is.True);
    }

    [Test]
    public void A_driver_that_cannot_cancel_is_logged_once_for_each_operation()
    {
        var logger = new CountingLogger();
        _interrupts = new Interrupter(_gate, _machine.Object, _meter, logger, _timer);
        _machine.Setup(m => m.Cancel()).Throws(new HypervisorException("mock", "Cancel", 11, "EAGAIN"));

        _interrupts.Request(CancellationReason.InterruptHandle);
        ExpireAll();
        ExpireAll();
        Assert.That(logger.Records, Is.EqualTo(1));
        BeginNext();
        _interrupts.Request(CancellationReason.InterruptHandle);

        Assert.That(logger.Records, Is.EqualTo(2));
    }

    [Test]
    public void A_request_between_operations_does_not_reach_the_machine()
    {
        _gate.Leave();

        Assert.That(_interrupts.Request(CancellationReason.InterruptHandle), Is.False);

        _machine.Verify(m => m.Cancel(), Times.Never);
    }

    private Interrupter.Watch Begin(TimeSpan timeout, CancellationToken cancellationToken)
    {
        _meter.Begin(new BudgetLimits(CallBudget.Unlimited).Tighten(timeout));
        return _interrupts.Begin(cancellationToken);
    }

    private void BeginNext()
    {
        _gate.Leave();
        _gate.Enter("calling", this);
    }

    /// <summary>Lets every armed deadline expire.</summary>
    /// <returns>How many were armed.</returns>
    private int ExpireAll()
    {
        List<(Deadline, ulong)> due = [];
        _timer.ExpireDue(long.MaxValue, due);
        return due.Count;
    }

    private sealed class CountingLogger : ILogger
    {
        public int Records { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Records++;
    }
}

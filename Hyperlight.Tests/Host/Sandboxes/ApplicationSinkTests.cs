using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>
/// What the application gave to the library and throws: loggers and debug output end no operation and hide no failure, and
/// exceptions of host functions reach the guest.
/// </summary>
[TestFixture]
internal sealed class ApplicationSinkTests
{
    private static readonly IOException Failure = new("the disk is full");

    private ScriptedMachine _guest = null!;

    [SetUp]
    public void SetUp() => _guest = new ScriptedMachine();

    [Test]
    public void A_debug_output_that_throws_ends_no_call()
    {
        int attempts = 0;
        using MultiUseSandbox sandbox = Build(b => b.WithDebugPrint(_ =>
        {
            attempts++;
            throw Failure;
        }));
        _guest.Then(VmExit.IoOut(103, 'a', 4)).Then(VmExit.IoOut(103, 'b', 4)).Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(attempts, Is.EqualTo(2));
        Assert.That(sandbox.DiagnosticsError, Is.SameAs(Failure));
    }

    [Test]
    public void A_debug_output_that_throws_is_logged_once()
    {
        var loggers = new ThrowingLoggers { Throws = false };
        using MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers).WithDebugPrint(_ => throw Failure));
        _guest.Then(VmExit.IoOut(103, 'a', 4)).Then(VmExit.IoOut(103, 'b', 4)).Answer(GoldenVectors.IntResult);

        sandbox.Call<int>("f");

        Assert.That(loggers.Logged.Where(e => e is not null), Is.EqualTo(new[] { Failure }));
    }

    [Test]
    public void A_debug_output_that_throws_does_not_hide_the_abort_behind_it()
    {
        using MultiUseSandbox sandbox = Build(b => b.WithDebugPrint(_ => throw Failure));
        _guest.Then(VmExit.IoOut(103, 'a', 4)).Then(VmExit.IoOut(102, 0xFF_0D02, 4));

        Assert.That(() => sandbox.Call<int>("f"), Throws.TypeOf<GuestAbortedException>());
    }

    [Test]
    public void A_logger_that_throws_hides_no_failure_of_the_guest()
    {
        using MultiUseSandbox sandbox = Build(b => b.WithLogging(new ThrowingLoggers()));
        _guest.Then(VmExit.Shutdown);

        Assert.That(() => sandbox.Call<int>("f"), Throws.TypeOf<UnexpectedVmExitException>());
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(sandbox.DiagnosticsError, Is.SameAs(Failure));
    }

    [Test]
    public void A_logger_that_throws_ends_no_call_that_ignores_a_late_cancellation()
    {
        using MultiUseSandbox sandbox = Build(b => b.WithLogging(new ThrowingLoggers()));
        _guest.Then(VmExit.Cancelled).Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [Test]
    public void A_logger_that_throws_ends_no_call_of_a_guest_that_logs()
    {
        using MultiUseSandbox sandbox = Build(b => b.WithLogging(new ThrowingLoggers()));
        _guest.Then(() =>
        {
            _guest.PushOutput(ReferenceFlatBuffers.Log("message", "source", 2, "caller", "file.c", 7));
            return VmExit.IoOut(99, 0, 4);
        }).Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
    }

    [TestCase(nameof(ThrowingLoggers.ThrowsOnCreate))]
    [TestCase(nameof(ThrowingLoggers.ThrowsOnIsEnabled))]
    public void A_logger_that_cannot_be_created_or_asked_prevents_no_sandbox(string where)
    {
        var loggers = new ThrowingLoggers
        {
            ThrowsOnCreate = where == nameof(ThrowingLoggers.ThrowsOnCreate),
            ThrowsOnIsEnabled = where == nameof(ThrowingLoggers.ThrowsOnIsEnabled),
        };
        using MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers));
        _guest.Answer(GoldenVectors.IntResult);

        Assert.That(sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(sandbox.DiagnosticsError, Is.SameAs(Failure));
    }

    [Test]
    public void Without_a_failing_sink_there_is_no_diagnostics_error()
    {
        using MultiUseSandbox sandbox = Build(_ => { });

        Assert.That(sandbox.DiagnosticsError, Is.Null);
    }

    [TestCase(typeof(InvalidOperationException))]
    [TestCase(typeof(OperationCanceledException))]
    [TestCase(typeof(InsufficientMemoryException))]
    [TestCase(typeof(GuestProtocolException))]
    [TestCase(typeof(MessageThrows))]
    public void Every_exception_of_a_host_function_is_an_error_for_the_guest(Type type)
    {
        Exception failure = type == typeof(GuestProtocolException)
            ? new GuestProtocolException("of another sandbox")
            : (Exception)Activator.CreateInstance(type)!;
        using MultiUseSandbox sandbox = Build(_ => { });
        sandbox.WithHostFunction<MultiUseSandbox, int, int, int>("Add", (_, _) => throw failure);
        bool isAnswered = CallHostFunction();
        _guest.Then(() =>
        {
            isAnswered = _guest.PopInput().Length > 0;
            _guest.PopInput();
            _guest.PushOutput(GoldenVectors.ErrorResult);
            return ScriptedMachine.Halt;
        });

        Assert.That(
            () => sandbox.Call<int>("f"),
            Throws.TypeOf<GuestErrorException>().With.InnerException.SameAs(failure));
        Assert.That(isAnswered, Is.True);
        Assert.That(sandbox.Status, Is.EqualTo(SandboxStatus.Ready));
    }

    [Test]
    public void A_result_that_cannot_be_read_is_the_host_functions_failure()
    {
        using MultiUseSandbox sandbox = Build(_ => { });
        sandbox.WithHostFunction<MultiUseSandbox, int, int, ReadOnlyMemory<byte>>("Add", (_, _) => new BrokenMemory().Memory);
        CallHostFunction();
        _guest.Then(() =>
        {
            _guest.PopInput();
            _guest.PopInput();
            _guest.PushOutput(GoldenVectors.ErrorResult);
            return ScriptedMachine.Halt;
        });

        Assert.That(() => sandbox.Call<int>("f"), Throws.TypeOf<GuestErrorException>().With.InnerException.SameAs(Failure));
    }

    [Test]
    public void Exceptions_of_an_application_driver_are_thrown_unchanged()
    {
        using MultiUseSandbox sandbox = Build(_ => { });
        var failure = new MessageThrows();
        _guest.Then(() => throw failure);

        Assert.That(() => sandbox.Call<int>("f"), Throws.Exception.SameAs(failure));
        Assert.That(() => sandbox.Call<int>("f"), Throws.TypeOf<SandboxPoisonedException>().With.InnerException.SameAs(failure));
    }

    [Test]
    public void Host_functions_that_call_ever_more_sandboxes_do_not_overflow_the_stack()
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Assert.Catch(() => CallNested(10_000)), 512 * 1024);
        thread.Start();
        thread.Join();

        Assert.That(failure, Is.TypeOf<GuestErrorException>());
        while (failure!.InnerException is { } inner)
        {
            failure = inner;
        }

        Assert.That(failure, Is.TypeOf<InsufficientExecutionStackException>());
    }

    private static int CallNested(int depth)
    {
        var guest = new ScriptedMachine();
        using MultiUseSandbox sandbox = guest.Build();
        sandbox.WithHostFunction("Add", (int _, int _) => CallNested(depth - 1));
        guest.Then(() =>
        {
            guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        }).Answer(GoldenVectors.ErrorResult);
        return sandbox.Call<int>("f");
    }

    private bool CallHostFunction()
    {
        _guest.Then(() =>
        {
            _guest.PushOutput(GoldenVectors.AddCall);
            return VmExit.IoOut(101, 0, 4);
        });
        return false;
    }

    private MultiUseSandbox Build(Action<SandboxBuilder> configure)
    {
        _guest.Initialise();
        SandboxBuilder builder = _guest.Builder();
        configure(builder);
        return builder.Build();
    }

    private sealed class MessageThrows : Exception
    {
        public override string Message => throw new InvalidOperationException("the message throws");
    }

    private sealed class BrokenMemory : System.Buffers.MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(4);

        public override Span<byte> GetSpan() => throw Failure;

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw Failure;

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class ThrowingLoggers : ILoggerFactory, ILogger
    {
        public bool Throws { get; init; } = true;

        public bool ThrowsOnCreate { get; init; }

        public bool ThrowsOnIsEnabled { get; init; }

        public List<Exception?> Logged { get; } = [];

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => ThrowsOnCreate ? throw Failure : this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw Failure;

        public bool IsEnabled(LogLevel logLevel) => ThrowsOnIsEnabled ? throw Failure : true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Logged.Add(exception);
            if (Throws)
            {
                throw Failure;
            }
        }
    }
}

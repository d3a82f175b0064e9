using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Host.DependencyInjection;

/// <summary>What guests of a container's sandboxes write is logged, and each record says of which sandbox it is.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class LoggedOutputTests
{
    private static readonly string GuestPath = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

    private RecordingLoggers _loggers = null!;
    private ServiceProvider _services = null!;

    [SetUp]
    public void SetUp()
    {
        _loggers = new RecordingLoggers(LogLevel.Trace);
        _services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(_loggers)
            .AddHyperlight(o => o.UseEmulator())
            .Services.BuildServiceProvider();
    }

    [TearDown]
    public void TearDown()
    {
        _services.Dispose();
        _loggers.Dispose();
    }

    private SandboxBuilder Builder => _services.GetRequiredService<ISandboxFactory>().CreateBuilder().WithGuest(GuestPath);

    [Test]
    public void Printed_text_is_logged_line_by_line_and_not_written_to_the_console()
    {
        using var console = new StringWriter();
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        Console.SetOut(console);
        Console.SetError(console);
        try
        {
            using MultiUseSandbox sandbox = Builder.Build();
            sandbox.Call("Print", "one\nand ");
            sandbox.Call("Print", "two\u001B[2J\n");
            sandbox.Call("DebugPrint", "debug\n");
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }

        Assert.That(
            _loggers.Guest.Select(r => (r.Level, r.Text)),
            Is.EqualTo(new[]
            {
                (LogLevel.Information, "one"), (LogLevel.Information, "and "), (LogLevel.Information, "two\\u001B[2J"), (LogLevel.Debug, "debug"),
            }));
        Assert.That(console.ToString(), Is.Empty);
    }

    [Test]
    public void The_application_can_take_the_output_instead()
    {
        var printed = new List<string>();
        using MultiUseSandbox sandbox = Builder.WithPrint(printed.Add).WithDebugPrint(c => printed.Add(c.ToString())).Build();

        sandbox.Call("Print", "one\n");
        sandbox.Call("DebugPrint", "d");

        Assert.That(printed, Is.EqualTo(new[] { "one\n", "d" }));
        Assert.That(_loggers.Guest, Is.Empty);
    }

    [Test]
    public void Every_record_of_a_sandbox_has_its_id_and_its_guest()
    {
        SandboxBuilder builder = Builder;
        using MultiUseSandbox first = builder.Build();
        using MultiUseSandbox second = builder.Build();
        using Snapshot snapshot = first.TakeSnapshot();
        using MultiUseSandbox third = builder.WithSnapshot(snapshot).Build();

        foreach (MultiUseSandbox sandbox in new[] { first, second, third })
        {
            _loggers.Clear();
            sandbox.Call("Print", "printed\n");
            sandbox.Call("LogMessage", 1, "logged");
            Assert.That(() => sandbox.Call("Abort"), Throws.TypeOf<GuestAbortedException>());

            Assert.That(_loggers.All, Has.Count.EqualTo(3));
            foreach (RecordingLoggers.Record record in _loggers.All)
            {
                Assert.That(record.Scope, Contains.Key("SandboxId").WithValue(sandbox.Id));
                Assert.That(record.Scope, Contains.Key("Guest").WithValue(GuestPath));
            }
        }
    }

    [Test]
    public void One_failure_is_one_record_and_the_exception_is_the_callers()
    {
        using MultiUseSandbox sandbox = Builder.Build();
        _loggers.Clear();

        Assert.That(() => sandbox.Call("Abort"), Throws.TypeOf<GuestAbortedException>());
        Assert.That(() => sandbox.Call("Add", 1, 2), Throws.TypeOf<SandboxPoisonedException>());

        RecordingLoggers.Record record = _loggers.All.Single();
        Assert.That(record.Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(record.Text, Is.EqualTo(
            $"Sandbox {sandbox.Id} is poisoned: guest function Abort failed with GuestAbortedException, which the caller has"));
        Assert.That(record.Exception, Is.Null);
    }

    [Test]
    public void A_cancellation_is_no_warning()
    {
        using MultiUseSandbox sandbox = Builder.Build();
        _loggers.Clear();

        // Not before the guest runs: the sandbox would not be poisoned.
        TimeSpan before = sandbox.LastCall.CpuTime;
        Task expiring = Task.Run(() =>
        {
            SpinWait.SpinUntil(
                () => sandbox.LastCall.CpuTime is var used && used != before && used != TimeSpan.Zero, TimeSpan.FromMinutes(1));
            TimeLimits.ExpireAll();
        });
        try
        {
            Assert.That(() => sandbox.Call("SpinForever", [], TimeSpan.FromMinutes(1)), Throws.TypeOf<BudgetExceededException>());
        }
        finally
        {
            // It would end the limits of other tests.
            expiring.Wait();
        }

        RecordingLoggers.Record record = _loggers.All.Single();
        Assert.That(record.Level, Is.EqualTo(LogLevel.Information));
        Assert.That(record.Text, Does.Contain("was ended by the host (Timeout)"));
    }

    [Test]
    public void Every_kind_of_record_has_a_unique_event_id()
    {
        LoggerMessageAttribute[] messages = [.. typeof(MultiUseSandbox).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(
                System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic))
            .SelectMany(method => method.GetCustomAttributes(typeof(LoggerMessageAttribute), inherit: false))
            .Cast<LoggerMessageAttribute>()];

        Assert.That(messages, Has.Length.GreaterThan(10));
        Assert.That(messages.Select(m => m.EventId), Is.Unique);
    }
}

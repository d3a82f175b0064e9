using System.Text;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>What a guest prints and logs.</summary>
internal sealed class GuestOutputTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void Print_reaches_the_host_and_answers_the_byte_count()
    {
        var printed = new StringBuilder();
        MultiUseSandbox sandbox = Build(b => b.WithPrint(text => printed.Append(text)));

        Assert.That(sandbox.Call<int>("Print", "Grüße\n"), Is.EqualTo(8));
        Assert.That(printed.ToString(), Is.EqualTo("Grüße\n"));
    }

    [Test]
    public void Printf_reaches_the_host()
    {
        var printed = new StringBuilder();
        MultiUseSandbox sandbox = Build(b => b.WithPrint(text => printed.Append(text)));

        sandbox.Call("Printf", "value %d\n", 42);

        Assert.That(printed.ToString(), Does.Contain("value 42"));
    }

    [Test]
    public void The_debug_port_reaches_the_host()
    {
        var printed = new StringBuilder();
        MultiUseSandbox sandbox = Build(b => b.WithDebugPrint(character => printed.Append(character.ToString())));

        sandbox.Call("DebugPrint", "debug");

        Assert.That(printed.ToString(), Is.EqualTo("debug"));
    }

    [TestCase(1, LogLevel.Error)]
    [TestCase(2, LogLevel.Warning)]
    [TestCase(3, LogLevel.Information)]
    [TestCase(4, LogLevel.Debug)]
    [TestCase(5, LogLevel.Trace)]
    public void A_log_record_reaches_the_host_at_its_level(int level, LogLevel expected)
    {
        using var loggers = new RecordingLoggers(LogLevel.Trace);
        MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers));

        sandbox.Call("LogMessage", level, "from the guest");

        RecordingLoggers.Record record = loggers.Guest.Single(r => r.Text.Contains("from the guest", StringComparison.Ordinal));
        Assert.That(record.Level, Is.EqualTo(expected));
    }

    [TestCase(LogLevel.Trace, 5)]
    [TestCase(LogLevel.Debug, 4)]
    [TestCase(LogLevel.Information, 3)]
    [TestCase(LogLevel.Warning, 2)]
    [TestCase(LogLevel.Error, 1)]
    [TestCase(LogLevel.None, 1)]
    public void The_loggers_level_is_the_guests_filter(LogLevel enabled, int filter)
    {
        using var loggers = new RecordingLoggers(enabled);
        MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers));

        Assert.That(sandbox.Call<int>("GetLogLevel"), Is.EqualTo(filter));
    }

    [Test]
    public void Records_below_the_filter_are_not_sent()
    {
        using var loggers = new RecordingLoggers(LogLevel.Trace);
        MultiUseSandbox sandbox = Build(b => b
            .WithLogging(loggers)
            .WithConfiguration(new SandboxConfiguration { GuestLogLevel = GuestLogLevel.Warning }));

        int sent = sandbox.Call<int>("LogAllLevels");

        Assert.That(sent, Is.EqualTo(2));
        Assert.That(loggers.Guest.Select(r => r.Level), Is.All.GreaterThanOrEqualTo(LogLevel.Warning));
        Assert.That(loggers.Guest, Has.Count.EqualTo(2));
    }
}

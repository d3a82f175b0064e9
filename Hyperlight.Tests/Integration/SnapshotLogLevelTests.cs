using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>The log level of a sandbox counts, and not that of the sandbox of which its snapshot was taken.</summary>
internal sealed class SnapshotLogLevelTests(TestTarget target) : GuestTest(target)
{
    private static readonly GuestLogLevel[] Levels = [GuestLogLevel.Off, GuestLogLevel.Error, GuestLogLevel.Warning, GuestLogLevel.Trace];

    [Test]
    public void A_sandbox_from_a_snapshot_logs_at_its_own_level([ValueSource(nameof(Levels))] GuestLogLevel taken)
    {
        using Snapshot snapshot = Build(b => b.WithConfiguration(At(taken))).TakeSnapshot();

        foreach (GuestLogLevel level in Levels)
        {
            using var loggers = new RecordingLoggers(LogLevel.Trace);
            MultiUseSandbox sandbox = Build(b => b.WithSnapshot(snapshot).WithLogging(loggers).WithConfiguration(At(level)));

            AssertLogsAt(sandbox, loggers, level);
        }
    }

    [Test]
    public void A_restored_sandbox_logs_at_its_own_level_and_so_does_a_snapshot_of_it()
    {
        using Snapshot verbose = Build(b => b.WithConfiguration(At(GuestLogLevel.Trace))).TakeSnapshot();
        using var loggers = new RecordingLoggers(LogLevel.Trace);
        MultiUseSandbox sandbox = Build(b => b.WithLogging(loggers).WithConfiguration(At(GuestLogLevel.Warning)));

        sandbox.Restore(verbose);
        AssertLogsAt(sandbox, loggers, GuestLogLevel.Warning);
        using Snapshot again = sandbox.TakeSnapshot();
        using var others = new RecordingLoggers(LogLevel.Trace);
        AssertLogsAt(Build(b => b.WithSnapshot(again).WithLogging(others).WithConfiguration(At(GuestLogLevel.Trace))), others, GuestLogLevel.Trace);
    }

    [Test]
    public void Without_a_level_what_the_logger_has_enabled_counts()
    {
        using Snapshot verbose = Build(b => b.WithConfiguration(At(GuestLogLevel.Trace))).TakeSnapshot();
        using var loggers = new RecordingLoggers(LogLevel.Warning);

        AssertLogsAt(Build(b => b.WithSnapshot(verbose).WithLogging(loggers)), loggers, GuestLogLevel.Warning);
    }

    private static SandboxConfiguration At(GuestLogLevel level) => new() { GuestLogLevel = level };

    private static void AssertLogsAt(MultiUseSandbox sandbox, RecordingLoggers loggers, GuestLogLevel level)
    {
        Assert.That(sandbox.Call<int>("GetLogLevel"), Is.EqualTo((int)level));
        Assert.That(sandbox.Call<int>("LogAllLevels"), Is.EqualTo((int)level), "records sent");
        Assert.That(loggers.Guest, Has.Count.EqualTo((int)level), "records logged");
    }
}

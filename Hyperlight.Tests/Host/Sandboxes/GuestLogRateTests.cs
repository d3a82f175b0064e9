using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Host.Wire;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A guest cannot flood the log, whatever it writes; what is dropped is counted, and reported once in a second.</summary>
[TestFixture]
internal sealed class GuestLogRateTests
{
    private readonly FakeTimeProvider _time = new();
    private ScriptedMachine _guest = null!;
    private RecordingLoggers _loggers = null!;
    private RecordedMetrics _metrics = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _loggers = new RecordingLoggers(LogLevel.Trace);
        _metrics = new RecordedMetrics();
        _guest = new ScriptedMachine();
        _guest.Initialise();
        SandboxBuilder builder = _guest.Builder()
            .WithLogging(_loggers)
            .WithLoggedOutput()
            .WithMetrics(_metrics)
            .WithConfiguration(new SandboxConfiguration { GuestLogRate = 3 });
        builder.LogClock = _time;
        _sandbox = builder.Build();
    }

    [TearDown]
    public void Dispose()
    {
        _sandbox.Dispose();
        _metrics.Dispose();
        _loggers.Dispose();
    }

    [Test]
    public void Records_above_the_rate_are_dropped_and_reported_at_the_end_of_the_call()
    {
        Log(5);

        Assert.That(Texts(), Is.EqualTo(new[] { "record", "record", "record", "Records of the guest were dropped: 2; it may write 3 in a second" }));
        Assert.That(_loggers.Guest[^1].Level, Is.EqualTo(LogLevel.Warning));
        Assert.That(_metrics.Of("hyperlight.guest.log.dropped"), Is.EqualTo(new[] { "driver=mock: 2" }));
    }

    [Test]
    public void Dropped_records_are_reported_once_in_a_second()
    {
        Log(4);
        _loggers.Clear();
        Log(1);
        Log(1);
        Assert.That(Texts(), Is.Empty, "within the second of the last report");

        _time.Advance(TimeSpan.FromSeconds(1));
        Log(1);
        Assert.That(Texts(), Is.EqualTo(new[] { "Records of the guest were dropped: 2; it may write 3 in a second", "record" }));
    }

    [Test]
    public void A_new_second_permits_new_records()
    {
        Log(3);
        _time.Advance(TimeSpan.FromSeconds(1));
        Log(3);

        Assert.That(Texts(), Is.EqualTo(Enumerable.Repeat("record", 6)));
    }

    [Test]
    public void What_is_not_reported_yet_is_reported_when_the_sandbox_is_disposed()
    {
        Log(4);
        Log(1);
        _loggers.Clear();
        _sandbox.Dispose();

        Assert.That(Texts(), Is.EqualTo(new[] { "Records of the guest were dropped: 1; it may write 3 in a second" }));
    }

    [Test]
    public void Lines_of_the_debug_port_count_as_records()
    {
        foreach (char character in "a\nb\nc\nd\n")
        {
            _guest.Then(VmExit.IoOut(103, character, 4));
        }

        _guest.Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("f");

        Assert.That(Texts(), Is.EqualTo(new[] { "a", "b", "c", "Records of the guest were dropped: 1; it may write 3 in a second" }));
    }

    private void Log(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _guest.Then(() =>
            {
                _guest.PushOutput(ReferenceFlatBuffers.Log("record", "source", 2, "caller", "file.c", 7));
                return VmExit.IoOut(99, 0, 4);
            });
        }

        _guest.Answer(GoldenVectors.IntResult);
        _sandbox.Call<int>("f");
    }

    private string[] Texts() => [.. _loggers.Guest.Select(r => r.Text.Split(" [")[0])];
}

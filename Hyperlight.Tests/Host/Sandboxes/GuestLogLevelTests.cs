using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The host filters what a guest logs by the configured level, whatever the guest sends.</summary>
[TestFixture]
internal sealed class GuestLogLevelTests
{
    [Test]
    public void Records_that_are_more_verbose_than_configured_are_dropped([Values] GuestLogLevel level)
    {
        // Of a trace (0) to a critical record (5), and one of no level (6), which counts as a trace.
        (byte Wire, GuestLogLevel Level)[] records =
        [
            (0, GuestLogLevel.Trace), (1, GuestLogLevel.Debug), (2, GuestLogLevel.Information), (3, GuestLogLevel.Warning),
            (4, GuestLogLevel.Error), (5, GuestLogLevel.Error), (6, GuestLogLevel.Trace),
        ];
        using var loggers = new RecordingLoggers(LogLevel.Trace);
        var guest = new ScriptedMachine();
        guest.Initialise();
        using MultiUseSandbox sandbox = guest.Builder()
            .WithLogging(loggers)
            .WithConfiguration(new SandboxConfiguration { GuestLogLevel = level })
            .Build();
        foreach ((byte wire, _) in records)
        {
            guest.Then(() =>
            {
                guest.PushOutput(ReferenceFlatBuffers.Log($"record {wire}", "source", wire, "caller", "file.c", 7));
                return VmExit.IoOut(99, 0, 4);
            });
        }

        guest.Answer(GoldenVectors.IntResult);
        sandbox.Call<int>("f");

        Assert.That(
            loggers.Guest.Select(r => r.Text[..8]),
            Is.EqualTo(records.Where(r => r.Level <= level).Select(r => $"record {r.Wire}")));
    }
}

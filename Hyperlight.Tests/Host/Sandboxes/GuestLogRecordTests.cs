using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Wire;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A log record of a guest has its parts as properties, each escaped.</summary>
[TestFixture]
internal sealed class GuestLogRecordTests
{
    [Test]
    public void The_parts_of_a_record_are_properties_without_control_characters()
    {
        var records = new List<(LogLevel Level, EventId Id, Dictionary<string, object?> Properties)>();
        var guest = new ScriptedMachine();
        guest.Initialise();
        using MultiUseSandbox sandbox = guest.Builder().WithLogging(new Loggers(records)).Build();
        guest.Then(() =>
        {
            guest.PushOutput(ReferenceFlatBuffers.Log("a\u001b[2Jb\nc", "so\rurce", 3, "call\u202eer", "file\u0000.c", 7));
            return VmExit.IoOut(99, 0, 4);
        });
        guest.Answer(GoldenVectors.IntResult);
        sandbox.Call<int>("f");

        (LogLevel level, EventId id, Dictionary<string, object?> properties) = records.Single(r => r.Id.Name == "GuestLog");
        Assert.That(level, Is.EqualTo(LogLevel.Warning));
        Assert.That(id.Id, Is.EqualTo(1));
        Assert.That(properties["GuestMessage"], Is.EqualTo("a\\u001B[2Jb\\nc"));
        Assert.That(properties["Source"], Is.EqualTo("so\\rurce"));
        Assert.That(properties["Caller"], Is.EqualTo("call\\u202Eer"));
        Assert.That(properties["SourceFile"], Is.EqualTo("file\\u0000.c"));
        Assert.That(properties["Line"], Is.EqualTo(7));
    }

    private sealed class Loggers(List<(LogLevel Level, EventId Id, Dictionary<string, object?> Properties)> records) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            records.Add((logLevel, eventId, ((IEnumerable<KeyValuePair<string, object?>>)state!).ToDictionary(p => p.Key, p => p.Value)));

        public void Dispose()
        {
        }
    }
}

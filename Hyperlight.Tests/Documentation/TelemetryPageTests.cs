using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Host.Diagnostics.Telemetry;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Documentation;

/// <summary>The tables of docs/telemetry.md are those of the code.</summary>
[TestFixture]
internal sealed class TelemetryPageTests
{
    private static readonly string[][] Rows = [.. new MarkdownPage("docs/telemetry.md").Rows];

    [Test]
    public void Every_instrument_has_a_row_with_its_kind_and_unit()
    {
        using var metrics = new RecordedMetrics();
        _ = HyperlightMetrics.Of(metrics);

        Assert.That(
            Rows.Where(row => row.Length == 4 && row[0].StartsWith("`hyperlight.", StringComparison.Ordinal)).Select(row => $"{row[0]} {row[1]} {row[2]}"),
            Is.EquivalentTo(metrics.Instruments.Select(i => $"`{i.Name}` {Kind(i)} `{i.Unit}`")));
    }

    [Test]
    public void Every_tag_and_activity_is_named()
    {
        string page = new MarkdownPage("docs/telemetry.md").Prose;
        string[] tags = [.. Constants(typeof(Tags)).Select(tag => tag.Replace("hyperlight.", "", StringComparison.Ordinal))];

        Assert.That(tags, Has.Length.GreaterThan(10));
        Assert.That(tags.Where(tag => !page.Contains($"`{tag}`", StringComparison.Ordinal)), Is.Empty);
        Assert.That(Rows.Where(row => row.Length == 3).Select(row => row[0].Trim('`')), Is.SupersetOf(Constants(typeof(HyperlightActivities))));
    }

    [Test]
    public void Every_outcome_has_a_row() => Assert.That(
        Rows.SkipWhile(row => row[0] != "outcome").Skip(1).TakeWhile(row => row.Length == 2 && row[0].StartsWith('`')).Select(row => row[0].Trim('`'))
            .TakeWhile(outcome => outcome != "guest_errors_total"),
        Is.EqualTo(Outcome.All));

    [Test]
    public void Every_log_event_has_a_row_and_an_id_of_its_own()
    {
        string[] events = [.. typeof(GuestLog).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => (method.DeclaringType, Attribute: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(m => m.Attribute is not null)
            .OrderBy(m => m.Attribute!.EventId)
            .Select(m => string.Create(
                CultureInfo.InvariantCulture, $"{m.Attribute!.EventId} | {Level(m.Attribute.Level)} | `{Category(m.DeclaringType!)}` | {m.Attribute.Message}"))];

        Assert.That(events, Has.Length.GreaterThan(20));
        Assert.That(events.Select(e => e.Split(' ')[0]), Is.Unique);
        Assert.That(Rows.Where(row => int.TryParse(row[0], CultureInfo.InvariantCulture, out _)).Select(row => string.Join(" | ", row)), Is.EqualTo(events));
    }

    [Test]
    public void The_limits_are_those_of_the_code()
    {
        string page = new MarkdownPage("docs/telemetry.md").Prose.ReplaceLineEndings(" ");

        Assert.That(page, Does.Contain($"at most {TagValues.MaximumCount} names").And.Contain($"at most {TagValues.MaximumLength} visible characters"));
        Assert.That(page, Does.Contain($"The first {SandboxTelemetry.MaximumHostCallActivities} host calls"));
        Assert.That(page, Does.Contain($"by default {new SandboxConfiguration().GuestLogRate}"));
    }

    private static IEnumerable<string> Constants(Type type) => type.GetFields(BindingFlags.Static | BindingFlags.Public)
        .Where(field => field.IsLiteral)
        .Select(field => (string)field.GetRawConstantValue()!);

    private static string Kind(Instrument instrument) => instrument switch
    {
        Counter<long> => "counter",
        UpDownCounter<long> => "up-down counter",
        Histogram<double> => "histogram",
        ObservableUpDownCounter<long> => "observable up-down counter",
        _ => $"a kind that this test does not know: {instrument.GetType()}",
    };

    private static string Level(LogLevel level) => level == LogLevel.None ? "the guest's" : level.ToString();

    private static string Category(Type type) => type.GetField("Category")?.GetRawConstantValue() as string ?? SandboxLog.Category;
}

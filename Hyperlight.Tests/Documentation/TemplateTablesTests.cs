using System.Text.RegularExpressions;
using Hyperlight.Host.Configuration;
using Microsoft.Extensions.Configuration;

namespace Hyperlight.Tests.Documentation;

/// <summary>The tables of templates in docs/configuration.md: they have every key, the defaults are those of new options, and the limits hold.</summary>
[TestFixture]
internal sealed class TemplateTablesTests
{
    private static readonly string[][] PoolRows = [.. Table("key of `Pool`")];

    private static IEnumerable<string> PoolKeys => PoolRows.Select(row => row[0].Trim('`'));

    [Test]
    public void Every_key_has_a_row()
    {
        Assert.That(
            Table("key of a template").SelectMany(row => row[0].Split(", ")).Select(key => key.Trim('`')),
            Is.EquivalentTo(TemplateSettings.All.Select(s => s.Key)));
        Assert.That(PoolKeys, Is.EquivalentTo(PoolSettings.All.Select(s => s.Key)));
    }

    [TestCaseSource(nameof(PoolKeys))]
    public void The_default_is_that_of_new_options(string key)
    {
        string stated = Row(key)[1].Trim('`');
        if (key == nameof(SandboxPoolOptions.Budget))
        {
            Assert.That((stated, new SandboxPoolOptions().Budget), Is.EqualTo(("no limit", CallBudget.Unlimited)));
            return;
        }

        if (key == nameof(SandboxPoolOptions.MaximumSize))
        {
            Assert.That(stated, Is.EqualTo("2 for each processor"));
            stated = (2 * Environment.ProcessorCount).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        Assert.That(Set(key, stated), Is.EqualTo((new SandboxPoolOptions(), 0)));
    }

    [TestCaseSource(nameof(PoolKeys))]
    public void The_limits_are_accepted_and_what_is_beyond_is_not(string key)
    {
        string stated = Row(key)[2];
        if (key == nameof(SandboxPoolOptions.Budget))
        {
            AssertAccepted($"{key}:{nameof(CallBudget.HostCalls)}", "0");
            AssertRefused($"{key}:{nameof(CallBudget.HostCalls)}", "-1");
            return;
        }

        if (Regex.Match(stated, @"^(\d+) to (\d+)") is { Success: true } range)
        {
            AssertAccepted(key, range.Groups[1].Value);
            AssertAccepted(key, range.Groups[2].Value);
            AssertRefused(key, $"{int.Parse(range.Groups[1].Value, null) - 1}");
            AssertRefused(key, $"{int.Parse(range.Groups[2].Value, null) + 1}");
        }
        else if (Regex.Match(stated, @"^above 0, up to ([\d:.]+)(, or `Infinite`)?$") is { Success: true } duration)
        {
            AssertAccepted(key, "00:00:00.0000001");
            AssertAccepted(key, duration.Groups[1].Value);
            AssertRefused(key, "00:00:00");
            AssertRefused(key, $"{TimeSpan.Parse(duration.Groups[1].Value, null) + TimeSpan.FromTicks(1)}");
            (duration.Groups[2].Success ? (Action<string, string>)AssertAccepted : AssertRefused)(key, "Infinite");
        }
        else
        {
            string[] values = [.. Regex.Matches(stated, "`(\\w+)`").Select(m => m.Groups[1].Value)];
            Assert.That(values, key == nameof(SandboxPoolOptions.Isolation) ? Is.EquivalentTo(Enum.GetNames<SandboxIsolation>()) : Has.Length.EqualTo(2));
            Assert.That(values, Has.All.Matches<string>(value => Set(key, value!).Problems == 0));
        }
    }

    private static IEnumerable<string[]> Table(string heading) => new MarkdownPage("docs/configuration.md").Rows
        .SkipWhile(row => row[0] != heading).Skip(1).TakeWhile(row => row[0].StartsWith('`'));

    private static string[] Row(string key) => PoolRows.Single(row => row[0] == $"`{key}`");

    private static void AssertAccepted(string key, string value) => Assert.That(Set(key, value).Problems, Is.Zero, value);

    private static void AssertRefused(string key, string value) => Assert.That(Set(key, value).Problems, Is.EqualTo(1), value);

    /// <summary>The options of a pool for which one key is configured, and the number of problems.</summary>
    private static (SandboxPoolOptions Options, int Problems) Set(string key, string value)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(key, (string?)value)]).Build();
        var problems = new List<string>();
        return (Setting.Apply(configuration, new SandboxPoolOptions(), PoolSettings.All, problems), problems.Count);
    }
}

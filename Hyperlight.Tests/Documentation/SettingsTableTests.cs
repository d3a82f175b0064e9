using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Hyperlight.Abstractions;
using Hyperlight.Host.Configuration;

namespace Hyperlight.Tests.Documentation;

/// <summary>The table of settings in docs/configuration.md: defaults are those of a new configuration, ranges hold.</summary>
[TestFixture]
internal sealed partial class SettingsTableTests
{
    private static readonly PropertyInfo[] Properties = [.. typeof(SandboxConfiguration).GetProperties()];

    /// <summary>The rows by the settings they name.</summary>
    private static readonly Dictionary<string, (string Default, string Values)> Rows = new MarkdownPage("docs/configuration.md").Rows
        .SkipWhile(row => row[0] != "setting").Skip(1).TakeWhile(row => row[0].StartsWith('`'))
        .SelectMany(row => row[0].Split(", ").Select(name => (Name: name.Trim('`'), Default: row[1], Values: row[2])))
        .ToDictionary(row => row.Name, row => (row.Default, row.Values));

    private static IEnumerable<string> Names => Properties.Select(p => p.Name);

    /// <summary>The rows of the limits of a budget.</summary>
    private static readonly Dictionary<string, string> BudgetRows = new MarkdownPage("docs/configuration.md").Rows
        .SkipWhile(row => row[0] != "budget").Skip(1).TakeWhile(row => row[0].StartsWith('`'))
        .SelectMany(row => row[0].Split(", ").Select(name => (Name: name.Trim('`'), Values: row[1])))
        .ToDictionary(row => row.Name, row => row.Values);

    [Test]
    public void Every_limit_of_a_budget_has_a_row_and_its_values_are_accepted()
    {
        Assert.That(BudgetRows.Keys, Is.EquivalentTo(BudgetSettings.All.Select(setting => setting.Key)));
        foreach (PropertyInfo property in typeof(CallBudget).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            string stated = BudgetRows[property.Name];
            var budget = new CallBudget();
            if (property.PropertyType == typeof(TimeSpan?))
            {
                var longest = TimeSpan.FromMilliseconds(long.Parse(Regex.Match(stated, @"\d+ m").Value[..^2], CultureInfo.InvariantCulture));
                property.SetValue(budget, longest);
                Assert.That(() => property.SetValue(budget, longest + TimeSpan.FromTicks(1)), Refused);
                Assert.That(() => property.SetValue(budget, TimeSpan.Zero), Refused);
                continue;
            }

            long smallest = long.Parse(stated.Split(' ')[0], CultureInfo.InvariantCulture);
            property.SetValue(budget, smallest);
            Assert.That(() => property.SetValue(budget, smallest - 1), Refused);
            Assert.That(stated.Split(' ')[2].Trim(','), Is.EqualTo(long.MaxValue.ToString(CultureInfo.InvariantCulture)));
        }
    }

    [Test]
    public void Every_setting_has_a_row() => Assert.That(Rows.Keys, Is.EquivalentTo(Names));

    [TestCaseSource(nameof(Names))]
    public void The_default_is_that_of_a_new_configuration(string name)
    {
        object? value = Get(new SandboxConfiguration(), name);
        string stated = Rows[name].Default;

        Assert.That(stated.Split(':')[0].Trim('`'), Is.EqualTo(value switch
        {
            null => "not set",
            int rate when name == nameof(SandboxConfiguration.GuestLogRate) => $"{rate}",
            int or ulong => Size(Convert.ToUInt64(value, CultureInfo.InvariantCulture)),
            bool flag => flag ? "true" : "false",
            CallBudget budget when budget.Equals(CallBudget.Unlimited) => "no limit",
            GuestVersionPolicy policy when policy.Equals(GuestVersionPolicy.Compatible) => "Compatible",
            MsrPolicy policy when policy.Equals(MsrPolicy.Default) => "Default",
            _ => $"a default that this test does not know: {value}",
        }));
    }

    [TestCaseSource(nameof(Names))]
    public void The_limits_are_accepted_and_what_is_beyond_is_not(string name)
    {
        string stated = Rows[name].Values;
        if (Range().Match(stated) is { Success: true } range)
        {
            AssertRange(name, Bytes(range.Groups[1].Value), Bytes(range.Groups[2].Value));
        }
        else if (Multiples().Match(stated) is { Success: true } multiples)
        {
            ulong unit = (ulong)Bytes(multiples.Groups[1].Value);
            AssertRange(name, unit, Bytes(multiples.Groups[2].Value));
            AssertRefused(name, unit + (unit / 2));
            Set(name, 2 * unit);
        }
        else if (Type(name) == typeof(CallBudget))
        {
            Assert.That(stated, Is.EqualTo("a section, see below"));
        }
        else if (Type(name).IsEnum)
        {
            Assert.That(Regex.Matches(stated, @"\w+").Select(m => m.Value), Is.EquivalentTo(Enum.GetNames(Type(name))));
        }
        else
        {
            // What else is named as a value can be read from a configuration.
            Setting<SandboxConfiguration> setting = SandboxSettings.All.Single(s => s.Key == name);
            string[] values = [.. Regex.Matches(stated, "`(\\w+)`").Select(m => m.Groups[1].Value)];
            Assert.That(values, Has.Length.EqualTo(2));
            Assert.That(values.Select(value => setting.Expected.Contains($"'{value}'", StringComparison.Ordinal)), Is.All.True, setting.Expected);
        }
    }

    private static void AssertRange(string name, decimal smallest, decimal largest)
    {
        Set(name, smallest);
        Set(name, largest);
        AssertRefused(name, smallest - 1);
        AssertRefused(name, largest + 1);
    }

    /// <summary>The value is refused, by the setting or because its type does not have it.</summary>
    private static void AssertRefused(string name, decimal value) =>
        Assert.That(() => Set(name, value), Refused.Or.TypeOf<OverflowException>(), $"{name} = {value}");

    private static NUnit.Framework.Constraints.Constraint Refused =>
        Throws.TypeOf<TargetInvocationException>().With.InnerException.TypeOf<ArgumentOutOfRangeException>();

    private static void Set(string name, decimal value) => Set(name, Convert.ChangeType(value, Type(name), CultureInfo.InvariantCulture));

    private static void Set(string name, object value)
    {
        var configuration = new SandboxConfiguration();
        Property(name).SetValue(configuration, value);
        Assert.That(Get(configuration, name), Is.EqualTo(value));
    }

    private static object? Get(SandboxConfiguration configuration, string name) => Property(name).GetValue(configuration);

    private static PropertyInfo Property(string name) => Properties.Single(p => p.Name == name);

    private static Type Type(string name) => Nullable.GetUnderlyingType(Property(name).PropertyType) ?? Property(name).PropertyType;

    private static string Size(ulong bytes) => bytes % 1024 == 0 ? $"{bytes / 1024} KiB" : $"{bytes} B";

    /// <summary>A number, or a size such as "16 GiB less 4 KiB".</summary>
    private static decimal Bytes(string text)
    {
        string[] parts = text.Split(" less ");
        return Value(parts[0]) - (parts.Length > 1 ? Value(parts[1]) : 0);

        static decimal Value(string text) =>
            decimal.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out decimal number) ? number : SettingText.Size(text);
    }

    [GeneratedRegex(@"^(\d+(?: [KMG]?i?B)?) to (\d+[^,]*)$")]
    private static partial Regex Range();

    [GeneratedRegex("^multiples of (.+), up to (.+)$")]
    private static partial Regex Multiples();
}

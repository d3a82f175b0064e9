using System.Globalization;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>A figure and what it is to reach.</summary>
/// <param name="Measure">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Target">What it is to reach.</param>
internal sealed record Goal(string Measure, string Value, string Target)
{
    public const string NotMeasured = "not measured by this command";

    /// <summary>A number for a table.</summary>
    public static string Text(double? value, string unit = "") => value is { } number && double.IsFinite(number)
        ? number.ToString(number < 10 ? "0.00" : "0", CultureInfo.InvariantCulture) + unit
        : "-";
}

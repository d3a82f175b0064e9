using System.Globalization;
using System.Numerics;

namespace Hyperlight.Host.Functions;

/// <summary>
/// Floating-point numbers as hyperlight-host writes them into an error: the shortest digits that give the number back, always
/// with a decimal point, or with an exponent below 0.0001 and from 1e16 on.
/// </summary>
internal static class FloatText
{
    /// <summary>A number as text.</summary>
    public static string Format<T>(T value)
        where T : IBinaryFloatingPointIeee754<T>
    {
        if (T.IsNaN(value))
        {
            return "NaN";
        }

        string sign = T.IsNegative(value) ? "-" : string.Empty;
        T magnitude = T.Abs(value);
        if (T.IsInfinity(magnitude))
        {
            return sign + "inf";
        }

        if (T.IsZero(magnitude))
        {
            return sign + "0.0";
        }

        (string digits, int exponent) = Shortest(magnitude);
        bool isExponential = magnitude < T.CreateChecked(1e-4) || magnitude >= T.CreateChecked(1e16);
        return sign + (isExponential ? Exponential(digits, exponent) : Positional(digits, exponent));
    }

    /// <summary>The shortest digits d1d2d3... and the exponent of d1.d2d3... that give the number back.</summary>
    private static (string Digits, int Exponent) Shortest<T>(T magnitude)
        where T : IBinaryFloatingPointIeee754<T>
    {
        string[] parts = magnitude.ToString("R", CultureInfo.InvariantCulture).Split('E');
        string mantissa = parts[0];
        int point = mantissa.IndexOf('.');
        string all = mantissa.Replace(".", string.Empty, StringComparison.Ordinal);
        string significant = all.TrimStart('0');

        int scale = parts.Length > 1 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        int integerDigits = point < 0 ? mantissa.Length : point;
        int exponent = scale + integerDigits - 1 - (all.Length - significant.Length);
        return (significant.TrimEnd('0'), exponent);
    }

    private static string Exponential(string digits, int exponent) => digits.Length == 1
        ? string.Create(CultureInfo.InvariantCulture, $"{digits}e{exponent}")
        : string.Create(CultureInfo.InvariantCulture, $"{digits[0]}.{digits[1..]}e{exponent}");

    private static string Positional(string digits, int exponent)
    {
        if (exponent < 0)
        {
            return $"0.{new string('0', -exponent - 1)}{digits}";
        }

        string padded = digits.PadRight(exponent + 1, '0');
        string fraction = padded[(exponent + 1)..];
        return $"{padded[..(exponent + 1)]}.{(fraction.Length == 0 ? "0" : fraction)}";
    }
}

namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Comparison.</summary>
internal readonly partial record struct Float80
{
    /// <summary>Compares two values.</summary>
    /// <param name="a">The first value.</param>
    /// <param name="b">The second value.</param>
    /// <param name="isQuiet">A quiet NaN is not invalid.</param>
    /// <param name="environment">Gets the exceptions.</param>
    /// <returns>How the first compares to the second.</returns>
    public static FloatOrder Compare(Float80 a, Float80 b, bool isQuiet, ref FloatEnvironment environment)
    {
        if (a.IsUnordered || b.IsUnordered)
        {
            if (!isQuiet || !a.IsQuietOrNumber || !b.IsQuietOrNumber)
            {
                environment.Raised |= FloatExceptions.Invalid;
            }

            return FloatOrder.Unordered;
        }

        // The order is told even if the exception is not masked.
        _ = StopsAtDenormal(a, b, ref environment);
        if (a.IsZero && b.IsZero)
        {
            return FloatOrder.Equal;
        }

        if (a.IsNegative != b.IsNegative)
        {
            return a.IsNegative ? FloatOrder.Less : FloatOrder.Greater;
        }

        // A pseudo-denormal has the exponent that its integer bit stands for.
        int order = Math.Max(a.Exponent, 1).CompareTo(Math.Max(b.Exponent, 1));
        order = order != 0 ? order : a.Significand.CompareTo(b.Significand);
        order = a.IsNegative ? -order : order;
        return order < 0 ? FloatOrder.Less : order > 0 ? FloatOrder.Greater : FloatOrder.Equal;
    }

    private bool IsUnordered => Class is FloatClass.Unsupported or FloatClass.QuietNaN or FloatClass.SignalingNaN;

    private bool IsQuietOrNumber => Class is not (FloatClass.Unsupported or FloatClass.SignalingNaN);
}

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>How two numbers relate.</summary>
internal enum FloatRelation
{
    Less,
    Equal,
    Greater,
    Unordered,
}

/// <summary>Comparisons of SSE on one pair of numbers.</summary>
internal static class FloatComparison
{
    /// <summary>Compares; a quiet NaN raises only in a comparison that signals.</summary>
    public static FloatRelation Relate(
        in FloatFormat format, ulong a, ulong b, bool isSignaling, ref FloatEnvironment environment)
    {
        a = SoftFloat.Prepare(in format, a, in environment);
        b = SoftFloat.Prepare(in format, b, in environment);
        if (format.IsNaN(a) || format.IsNaN(b))
        {
            if (isSignaling || format.IsSignalingNaN(a) || format.IsSignalingNaN(b))
            {
                environment.Raise(FloatExceptions.Invalid);
            }

            return FloatRelation.Unordered;
        }

        SoftFloat.RaiseIfDenormal(in format, a, ref environment);
        SoftFloat.RaiseIfDenormal(in format, b, ref environment);
        long x = Order(in format, a);
        long y = Order(in format, b);
        return x < y ? FloatRelation.Less : x > y ? FloatRelation.Greater : FloatRelation.Equal;
    }

    /// <summary>CMPPS and its kin.</summary>
    /// <param name="format">Of the numbers.</param>
    /// <param name="predicate">0 to 7 as encoded: equal, less, less or equal, unordered, and the opposite of each.</param>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="environment">Takes the exceptions.</param>
    public static bool Holds(
        in FloatFormat format, int predicate, ulong a, ulong b, ref FloatEnvironment environment)
    {
        bool isSignaling = (predicate & 3) is 1 or 2;
        FloatRelation relation = Relate(in format, a, b, isSignaling, ref environment);
        bool holds = (predicate & 3) switch
        {
            0 => relation == FloatRelation.Equal,
            1 => relation == FloatRelation.Less,
            2 => relation is FloatRelation.Less or FloatRelation.Equal,
            _ => relation == FloatRelation.Unordered,
        };
        return holds != (predicate >= 4);
    }

    /// <summary>The lesser or greater number. The second operand, as it is, if one is a NaN or both are zero.</summary>
    public static ulong Choose(
        in FloatFormat format, bool isMaximum, ulong a, ulong b, ref FloatEnvironment environment)
    {
        FloatRelation wanted = isMaximum ? FloatRelation.Greater : FloatRelation.Less;
        FloatRelation relation = Relate(in format, a, b, isSignaling: true, ref environment);
        return SoftFloat.Prepare(in format, relation == wanted ? a : b, in environment);
    }

    /// <summary>An integer that orders as the numbers do; both zeros are one.</summary>
    private static long Order(in FloatFormat format, ulong bits)
    {
        long magnitude = (long)format.Magnitude(bits);
        return format.IsNegative(bits) ? -magnitude : magnitude;
    }
}

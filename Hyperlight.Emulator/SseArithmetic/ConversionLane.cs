namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>One element of a conversion: the host computes it if it can, else <see cref="FloatConversion"/> does.</summary>
internal static class ConversionLane
{
    private const long ExactInDouble = 1L << 53;
    private const long ExactInSingle = 1L << 24;

    public static long ToInteger(
        bool isDouble, ulong value, int bits, bool truncates, ref FloatEnvironment environment)
    {
        RoundingMode mode = truncates ? RoundingMode.TowardsZero : environment.Rounding;
        double number = isDouble ? FloatLane.ToDouble(value) : FloatLane.ToSingle(value);
        double limit = bits == 64 ? 9223372036854775808.0 : 2147483648.0;
        bool isPlain = isDouble ? HostFloat.IsPlain(number) : HostFloat.IsPlain(FloatLane.ToSingle(value));
        if (!isPlain || mode is not (RoundingMode.Nearest or RoundingMode.TowardsZero) || !(Math.Abs(number) < limit))
        {
            return Convert(isDouble, value, bits, mode, ref environment);
        }

        double rounded = mode == RoundingMode.Nearest ? Math.Round(number) : Math.Truncate(number);
        if (rounded >= limit)
        {
            return Convert(isDouble, value, bits, mode, ref environment);
        }

        HostFloat.Note(rounded == number, ref environment);
        return (long)rounded;
    }

    public static ulong FromInteger(bool isDouble, long value, ref FloatEnvironment environment)
    {
        if (isDouble)
        {
            return value is >= -ExactInDouble and <= ExactInDouble
                ? FloatLane.FromDouble(value)
                : Rounder.Pack(FloatFormat.Double, value, ref environment);
        }

        return value is >= -ExactInSingle and <= ExactInSingle
            ? FloatLane.FromSingle(value)
            : Rounder.Pack(FloatFormat.Single, value, ref environment);
    }

    /// <summary>Single precision to double precision.</summary>
    public static ulong Widen(ulong value, ref FloatEnvironment environment)
    {
        float number = FloatLane.ToSingle(value);
        return HostFloat.IsPlain(number)
            ? FloatLane.FromDouble(number)
            : FloatConversion.Convert(FloatFormat.Single, FloatFormat.Double, (uint)value, ref environment);
    }

    /// <summary>Double precision to single precision.</summary>
    public static ulong Narrow(ulong value, ref FloatEnvironment environment)
    {
        double number = FloatLane.ToDouble(value);
        float result = (float)number;
        if (environment.UsesHost && (HostFloat.IsLarge(result) || number == 0))
        {
            HostFloat.Note(result == number, ref environment);
            return FloatLane.FromSingle(result);
        }

        return FloatConversion.Convert(FloatFormat.Double, FloatFormat.Single, value, ref environment);
    }

    private static long Convert(
        bool isDouble, ulong value, int bits, RoundingMode mode, ref FloatEnvironment environment) =>
        FloatConversion.ToInteger(
            isDouble ? FloatFormat.Double : FloatFormat.Single, value, bits, mode, ref environment);
}

namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>What NaNs, unsupported encodings and denormals among the operands do.</summary>
internal readonly partial record struct Float80
{
    private Float80 Quiet() => this with { Significand = Significand | QuietBit };

    private static Float80 Invalid(ref FloatEnvironment environment)
    {
        environment.Raised |= FloatExceptions.Invalid;
        return DefaultNaN;
    }

    /// <summary>Whether a single operand decides the result already.</summary>
    private static bool Propagates(Float80 a, ref FloatEnvironment environment, out Float80 result)
    {
        switch (a.Class)
        {
            case FloatClass.Unsupported:
                result = Invalid(ref environment);
                return true;
            case FloatClass.SignalingNaN:
                environment.Raised |= FloatExceptions.Invalid;
                result = a.Quiet();
                return true;
            case FloatClass.QuietNaN:
                result = a;
                return true;
            default:
                result = default;
                return false;
        }
    }

    /// <summary>
    /// Whether one of two operands decides the result already: a quiet NaN goes before a signaling one, the larger
    /// significand before the smaller, and a positive NaN before its negative twin.
    /// </summary>
    private static bool Propagates(Float80 a, Float80 b, ref FloatEnvironment environment, out Float80 result)
    {
        if (a.Class == FloatClass.Unsupported || b.Class == FloatClass.Unsupported)
        {
            result = Invalid(ref environment);
            return true;
        }

        result = default;
        if (!a.IsNaN || !b.IsNaN)
        {
            return a.IsNaN ? Propagates(a, ref environment, out result) : Propagates(b, ref environment, out result);
        }

        bool isSignalingA = a.Class == FloatClass.SignalingNaN;
        bool isSignalingB = b.Class == FloatClass.SignalingNaN;
        if (isSignalingA || isSignalingB)
        {
            environment.Raised |= FloatExceptions.Invalid;
        }

        bool isFirst = isSignalingA != isSignalingB ? isSignalingB
            : a.Significand != b.Significand ? a.Significand > b.Significand : !a.IsNegative;
        result = (isFirst ? a : b).Quiet();
        return true;
    }

    /// <summary>Raises the exception for a denormal operand; true if it is unmasked.</summary>
    private static bool StopsAtDenormal(Float80 a, Float80 b, ref FloatEnvironment environment) =>
        (environment.HasDenormalSource || a.Class == FloatClass.Denormal || b.Class == FloatClass.Denormal)
        && environment.Stops(FloatExceptions.Denormal);
}

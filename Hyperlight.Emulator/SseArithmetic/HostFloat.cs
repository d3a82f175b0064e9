using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>
/// Arithmetic with the host's instructions, where all hosts agree with SSE whatever its control bits say: operands and results
/// are normal numbers or zero, and rounding is to nearest. Anything else is declined, and left to <see cref="SoftFloat"/>.
/// </summary>
internal static class HostFloat
{
    /// <summary>From here on the error of a product is a number as well.</summary>
    private const double SmallestExactProduct = 1e-250;

    /// <summary>Whether it is zero or a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPlain(double value)
    {
        ulong magnitude = BitConverter.DoubleToUInt64Bits(value) & (ulong.MaxValue >> 1);
        return magnitude - (1UL << 52) < (0x7FEUL << 52) || magnitude == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsPlain(float value)
    {
        uint magnitude = BitConverter.SingleToUInt32Bits(value) & (uint.MaxValue >> 1);
        return magnitude - (1u << 23) < (0xFEu << 23) || magnitude == 0;
    }

    /// <summary>Whether it is finite and so large that it was not tiny before it was rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLarge(double value)
    {
        ulong magnitude = BitConverter.DoubleToUInt64Bits(value) & (ulong.MaxValue >> 1);
        return magnitude - (2UL << 52) < (0x7FDUL << 52);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLarge(float value)
    {
        uint magnitude = BitConverter.SingleToUInt32Bits(value) & (uint.MaxValue >> 1);
        return magnitude - (2u << 23) < (0xFDu << 23);
    }

    /// <summary>Computes <paramref name="a"/> and <paramref name="b"/>, or the square root of <paramref name="b"/>.</summary>
    public static bool TryCompute(VectorOp op, double a, double b, ref FloatEnvironment environment, out double result)
    {
        result = 0;
        if (!IsPlain(a) || !IsPlain(b))
        {
            return false;
        }

        switch (op)
        {
            case VectorOp.Add or VectorOp.Subtract:
                b = op == VectorOp.Add ? b : -b;
                result = a + b;
                if (environment.WantsPrecision)
                {
                    double part = result - a;
                    Note(a - (result - part) + (b - part) == 0, ref environment);
                }

                // An exact result may be of any size, and zero always is one.
                return IsLarge(result) || result == 0;
            case VectorOp.Multiply:
                result = a * b;
                if (a == 0 || b == 0)
                {
                    return true;
                }

                if (!environment.WantsPrecision)
                {
                    return IsLarge(result);
                }

                if (!IsLarge(result) || Math.Abs(result) < SmallestExactProduct)
                {
                    return false;
                }

                Note(Math.FusedMultiplyAdd(a, b, -result) == 0, ref environment);
                return true;
            case VectorOp.Divide when b != 0:
                result = a / b;
                if (a == 0)
                {
                    return true;
                }

                if (!environment.WantsPrecision)
                {
                    return IsLarge(result);
                }

                if (!IsLarge(result) || Math.Abs(a) < SmallestExactProduct)
                {
                    return false;
                }

                Note(Math.FusedMultiplyAdd(-result, b, a) == 0, ref environment);
                return true;
            case VectorOp.SquareRoot when b >= 0:
                result = Math.Sqrt(b);
                if (b == 0 || !environment.WantsPrecision)
                {
                    return true;
                }

                if (b < SmallestExactProduct)
                {
                    return false;
                }

                Note(Math.FusedMultiplyAdd(-result, result, b) == 0, ref environment);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The same for single precision, whose products are exact in double precision.</summary>
    public static bool TryCompute(VectorOp op, float a, float b, ref FloatEnvironment environment, out float result)
    {
        result = 0;
        if (!IsPlain(a) || !IsPlain(b))
        {
            return false;
        }

        bool isExact;
        switch (op)
        {
            case VectorOp.Add or VectorOp.Subtract:
                b = op == VectorOp.Add ? b : -b;
                result = a + b;
                float part = result - a;
                isExact = a - (result - part) + (b - part) == 0;
                break;
            case VectorOp.Multiply:
                result = a * b;
                isExact = (double)a * b == result;
                break;
            case VectorOp.Divide when b != 0:
                result = a / b;
                isExact = (double)result * b == a;
                break;
            case VectorOp.SquareRoot when b >= 0:
                result = MathF.Sqrt(b);
                isExact = (double)result * result == b;
                break;
            default:
                return false;
        }

        // An exact zero is no underflow.
        if (!IsLarge(result) && !(result == 0 && isExact))
        {
            return false;
        }

        Note(isExact, ref environment);
        return true;
    }

    /// <summary>Remembers whether a result is exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(bool isExact, ref FloatEnvironment environment)
    {
        if (!isExact)
        {
            environment.Raise(FloatExceptions.Precision);
        }
    }
}

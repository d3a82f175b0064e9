using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>One element of a vector instruction: the host computes it if it can, else <see cref="SoftFloat"/> does.</summary>
internal static class FloatLane
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromDouble(double value) => BitConverter.DoubleToUInt64Bits(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromSingle(float value) => BitConverter.SingleToUInt32Bits(value);

    public static ulong Compute(VectorOp op, bool isDouble, ulong a, ulong b, ref FloatEnvironment environment)
    {
        if (environment.UsesHost)
        {
            // A result that the host does not give may have been found inexact nevertheless.
            FloatExceptions raised = environment.Raised;
            if (isDouble)
            {
                if (HostFloat.TryCompute(op, ToDouble(a), ToDouble(b), ref environment, out double result))
                {
                    return FromDouble(result);
                }
            }
            else if (HostFloat.TryCompute(op, ToSingle(a), ToSingle(b), ref environment, out float result))
            {
                return FromSingle(result);
            }

            environment.Raised = raised;
        }

        return ComputeSoftly(op, isDouble ? FloatFormat.Double : FloatFormat.Single, a, b, ref environment);
    }

    /// <summary>Minimum and maximum, which round nothing.</summary>
    public static ulong Choose(bool isMaximum, bool isDouble, ulong a, ulong b, ref FloatEnvironment environment) =>
        FloatComparison.Choose(
            isDouble ? FloatFormat.Double : FloatFormat.Single, isMaximum, a, b, ref environment);

    /// <summary>ROUNDPS and its kin: the immediate operand tells how.</summary>
    public static ulong Round(bool isDouble, ulong value, int control, ref FloatEnvironment environment)
    {
        RoundingMode mode = (control & 4) != 0 ? environment.Rounding : (RoundingMode)(control & 3);
        bool isSilent = (control & 8) != 0;
        double number = isDouble ? ToDouble(value) : ToSingle(value);
        if (isDouble ? !HostFloat.IsPlain(number) : !HostFloat.IsPlain(ToSingle(value)))
        {
            return FloatConversion.ToIntegral(
                isDouble ? FloatFormat.Double : FloatFormat.Single, value, mode, isSilent, ref environment);
        }

        double rounded = mode switch
        {
            RoundingMode.Nearest => Math.Round(number),
            RoundingMode.Down => Math.Floor(number),
            RoundingMode.Up => Math.Ceiling(number),
            _ => Math.Truncate(number),
        };
        HostFloat.Note(isSilent || rounded == number, ref environment);
        return isDouble ? FromDouble(rounded) : FromSingle((float)rounded);
    }

    private static ulong ComputeSoftly(
        VectorOp op, in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment) => op switch
        {
            VectorOp.Add => SoftFloat.Add(in format, a, b, ref environment),
            VectorOp.Subtract => SoftFloat.Subtract(in format, a, b, ref environment),
            VectorOp.Multiply => SoftFloat.Multiply(in format, a, b, ref environment),
            VectorOp.Divide => SoftFloat.Divide(in format, a, b, ref environment),
            _ => SoftFloat.SquareRoot(in format, b, ref environment),
        };
}

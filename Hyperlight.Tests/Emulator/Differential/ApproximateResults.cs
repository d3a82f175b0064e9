using System.Buffers.Binary;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Instructions that the manuals specify by a bound of their error, so that processors differ in the last bits: the
/// reciprocals of SSE (relative error at most 1.5 * 2^-12), and the transcendental functions of x87, which the managed
/// machine computes in double precision.
/// </summary>
internal static class ApproximateResults
{
    private const double ReciprocalError = 2 * 1.5 / 4096;
    private const double SmallestNormalSingle = 1.1754943508222875E-38;
    private const double SmallestNormal = 2.2250738585072014E-308;
    private const double TranscendentalError = 1.0 / (1L << 48);

    public static bool IsApproximate(Mnemonic mnemonic) => IsReciprocal(mnemonic) || IsTranscendental(mnemonic);

    public static bool IsReciprocal(Mnemonic mnemonic) =>
        mnemonic is Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss;

    public static bool IsTranscendental(Mnemonic mnemonic) => mnemonic is Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos
        or Mnemonic.Fptan or Mnemonic.Fpatan or Mnemonic.Fyl2x or Mnemonic.Fyl2xp1 or Mnemonic.F2xm1;

    /// <summary>
    /// Whether an instruction leaves approximate numbers in an x87 register: the first, and the second where it gives two.
    /// </summary>
    public static bool IsApproximateStack(in Instruction instruction, int index) => IsTranscendental(instruction.Mnemonic)
        && index <= (instruction.Mnemonic is Mnemonic.Fsincos or Mnemonic.Fptan ? 1 : 0);

    /// <summary>
    /// Whether a vector register is the destination of a reciprocal, and has numbers in it that are each nearly the other's.
    /// The scalar instructions leave all but the first as they are.
    /// </summary>
    public static bool AreNearSingles(
        in Instruction instruction, int register, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        if (!IsReciprocal(instruction.Mnemonic) || instruction.Op0Register != Register.XMM0 + register)
        {
            return false;
        }

        bool isScalar = instruction.Mnemonic is Mnemonic.Rcpss or Mnemonic.Rsqrtss;
        int length = isScalar ? sizeof(float) : expected.Length;
        for (int i = 0; i < length; i += sizeof(float))
        {
            float wanted = BinaryPrimitives.ReadSingleLittleEndian(expected[i..]);
            float got = BinaryPrimitives.ReadSingleLittleEndian(actual[i..]);
            bool isExact = !float.IsNormal(wanted) || !float.IsNormal(got);
            if (IsZeroForSmallest(wanted, got) || IsZeroForSmallest(got, wanted))
            {
                continue;
            }

            if (isExact ? !expected.Slice(i, sizeof(float)).SequenceEqual(actual.Slice(i, sizeof(float)))
                : !AreNear(wanted, got, ReciprocalError))
            {
                return false;
            }
        }

        return expected[length..].SequenceEqual(actual[length..]);
    }

    /// <summary>Whether one number is about the smallest normal one, and the other is zero: what is below is zero, and a processor may come to that.</summary>
    private static bool IsZeroForSmallest(float zero, float number) => zero == 0 && float.IsNegative(zero) == float.IsNegative(number)
        && float.IsNormal(number) && AreNear(SmallestNormalSingle, Math.Abs(number), ReciprocalError);

    /// <summary>Whether two numbers of 80 bits are nearly equal, or both beyond what double precision holds.</summary>
    public static bool AreNearExtended(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual) =>
        IsNumber(expected) && IsNumber(actual) && expected[9] >> 7 == actual[9] >> 7
        && AreNear(ToDouble(expected), ToDouble(actual), TranscendentalError);

    /// <summary>Whether it is neither infinite nor a NaN, of which no part is approximate.</summary>
    private static bool IsNumber(ReadOnlySpan<byte> bytes) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) & 0x7FFF) != 0x7FFF;

    /// <summary>Numbers below what double precision holds are all near each other.</summary>
    private static bool AreNear(double expected, double actual, double error) =>
        expected.Equals(actual) || Math.Abs(expected - actual) <= Math.Abs(expected) * error
        || (Math.Abs(expected) < SmallestNormal && Math.Abs(actual) < SmallestNormal);

    private static double ToDouble(ReadOnlySpan<byte> bytes)
    {
        ulong significand = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        int exponent = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        double magnitude = (exponent & 0x7FFF) == 0x7FFF
            ? significand << 1 == 0 ? double.PositiveInfinity : double.NaN
            : Math.ScaleB(significand, (exponent & 0x7FFF) - 0x3FFF - 63);
        return exponent > 0x7FFF ? -magnitude : magnitude;
    }
}

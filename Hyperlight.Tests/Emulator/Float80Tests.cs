using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Tests.Emulator;

/// <summary>Single results of the 80-bit arithmetic, from the processor manuals.</summary>
[TestFixture]
internal sealed class Float80Tests
{
    private const ulong One = 0x8000_0000_0000_0000;
    private static readonly Float80 Largest = new(0x7FFE, ulong.MaxValue);
    private static readonly Float80 SmallestNormal = new(1, One);
    private static readonly Float80 SmallestDenormal = new(0, 1);

    [Test]
    public void A_third_is_rounded_in_each_direction(
        [Values] RoundingMode mode, [Values((byte)24, (byte)53, (byte)64)] byte precision)
    {
        ulong unit = 1UL << (64 - precision);
        ulong below = 0xAAAA_AAAA_AAAA_AAAA & ~(unit - 1);
        FloatEnvironment environment = With(mode, precision);

        Float80 third = Float80.Divide(Float80.One, Float80.FromInt64(3), ref environment);

        // The first bit that is lost is one exactly where the last bit that stays is zero.
        bool isUp = mode == RoundingMode.Up || (mode == RoundingMode.Nearest && (below & unit) == 0);
        Assert.That(third, Is.EqualTo(new Float80(0x3FFD, below + (isUp ? unit : 0))));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Precision));
        Assert.That(environment.RoundedUp, Is.EqualTo(isUp));
    }

    [TestCase(RoundingMode.Nearest, true)]
    [TestCase(RoundingMode.Up, true)]
    [TestCase(RoundingMode.Down, false)]
    [TestCase(RoundingMode.TowardZero, false)]
    public void An_overflow_gives_infinity_or_the_largest_number(RoundingMode mode, bool isInfinity)
    {
        FloatEnvironment environment = With(mode);

        Float80 sum = Float80.Add(Largest, Largest, ref environment);

        Assert.That(sum, Is.EqualTo(isInfinity ? Float80.Infinity(false) : Largest));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Overflow | FloatExceptions.Precision));
    }

    [Test]
    public void An_overflow_that_is_not_masked_wraps_the_exponent()
    {
        FloatEnvironment environment = With(masked: FloatExceptions.All & ~FloatExceptions.Overflow);

        Float80 product = Float80.Multiply(Largest, Float80.FromInt64(4), ref environment);

        Assert.That(product, Is.EqualTo(new Float80(0x7FFE + 2 - 0x6000, ulong.MaxValue)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Overflow));
    }

    [Test]
    public void A_denormal_result_underflows_only_if_it_is_inexact()
    {
        FloatEnvironment environment = With();
        Float80 half = Float80.Divide(SmallestNormal, Float80.FromInt64(2), ref environment);

        Assert.That(half, Is.EqualTo(new Float80(0, One >> 1)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.None));

        Float80 third = Float80.Divide(SmallestNormal, Float80.FromInt64(3), ref environment);

        Assert.That(third, Is.EqualTo(new Float80(0, 0x2AAA_AAAA_AAAA_AAAB)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Underflow | FloatExceptions.Precision));
    }

    [Test]
    public void A_denormal_operand_is_noted_and_computed_with()
    {
        FloatEnvironment environment = With();

        Float80 sum = Float80.Add(SmallestDenormal, SmallestDenormal, ref environment);

        Assert.That(sum, Is.EqualTo(new Float80(0, 2)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Denormal));
    }

    [Test]
    public void A_pseudo_denormal_has_the_smallest_exponent()
    {
        FloatEnvironment environment = With();

        Float80 sum = Float80.Add(new Float80(0, One), Float80.Zero(false), ref environment);

        Assert.That(sum, Is.EqualTo(SmallestNormal));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Denormal));
    }

    [TestCase(0x3FFF, 0x7000_0000_0000_0000UL)]
    [TestCase(0x7FFF, 0UL)]
    [TestCase(0x7FFF, 0x4000_0000_0000_0001UL)]
    public void An_unsupported_encoding_is_invalid(int exponent, ulong significand)
    {
        FloatEnvironment environment = With();

        Float80 sum = Float80.Add(new Float80((ushort)exponent, significand), Float80.One, ref environment);

        Assert.That(sum, Is.EqualTo(Float80.DefaultNaN));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Invalid));
    }

    private static IEnumerable<TestCaseData> NaNPairs()
    {
        var small = new Float80(0x7FFF, 0xC000_0000_0000_0001);
        var large = new Float80(0xFFFF, 0xC000_0000_0000_0002);
        var signaling = new Float80(0x7FFF, 0xA000_0000_0000_0000);
        yield return new TestCaseData(small, large, large, FloatExceptions.None).SetArgDisplayNames("larger");
        yield return new TestCaseData(small.Negate(), small, small, FloatExceptions.None).SetArgDisplayNames("positive");
        yield return new TestCaseData(signaling, small, small, FloatExceptions.Invalid).SetArgDisplayNames("quiet first");
        yield return new TestCaseData(
            signaling, Float80.One, new Float80(0x7FFF, 0xE000_0000_0000_0000), FloatExceptions.Invalid)
            .SetArgDisplayNames("made quiet");
    }

    [TestCaseSource(nameof(NaNPairs))]
    public void One_of_two_NaNs_is_the_result(Float80 a, Float80 b, Float80 expected, FloatExceptions raised)
    {
        FloatEnvironment environment = With();

        Assert.That(Float80.Add(a, b, ref environment), Is.EqualTo(expected));
        Assert.That(Float80.Multiply(b, a, ref environment), Is.EqualTo(expected));
        Assert.That(environment.Raised, Is.EqualTo(raised));
    }

    [Test]
    public void A_division_by_zero_is_infinite_and_zero_by_zero_invalid()
    {
        FloatEnvironment environment = With();
        Assert.That(
            Float80.Divide(Float80.One, Float80.Zero(true), ref environment), Is.EqualTo(Float80.Infinity(true)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.ZeroDivide));

        environment = With();
        Assert.That(
            Float80.Divide(Float80.Zero(false), Float80.Zero(true), ref environment), Is.EqualTo(Float80.DefaultNaN));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Invalid));
    }

    [Test]
    public void A_difference_of_equals_is_minus_zero_only_when_rounding_down([Values] RoundingMode mode)
    {
        FloatEnvironment environment = With(mode);

        Float80 difference = Float80.Subtract(Float80.One, Float80.One, ref environment);

        Assert.That(difference, Is.EqualTo(Float80.Zero(mode == RoundingMode.Down)));
    }

    [Test]
    public void The_root_of_two_has_all_its_bits()
    {
        FloatEnvironment environment = With();

        Assert.That(
            Float80.SquareRoot(Float80.FromInt64(2), ref environment), Is.EqualTo(new Float80(0x3FFF, 0xB504_F333_F9DE_6484)));
        Assert.That(environment.RoundedUp, Is.False);
    }

    [Test]
    public void Bits_that_a_store_loses_are_rounded()
    {
        FloatEnvironment environment = With();

        Assert.That(new Float80(0x3FFF, 0x8000_0180_0000_0000).To(BinaryFormat.Single, ref environment), Is.EqualTo(0x3F80_0002));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Precision));
        Assert.That(environment.RoundedUp, Is.True);
        Assert.That(Largest.To(BinaryFormat.Double, ref environment), Is.EqualTo(0x7FF0_0000_0000_0000));
    }

    [Test]
    public void Values_outside_the_integer_range_are_invalid()
    {
        FloatEnvironment environment = With();

        Assert.That(Float80.FromInt64(32768).ToInteger(2, ref environment), Is.EqualTo(short.MinValue));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.Invalid));

        environment = With();
        Assert.That(Float80.FromInt64(-32768).ToInteger(2, ref environment), Is.EqualTo(short.MinValue));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.None));
    }

    [Test]
    public void A_remainder_of_far_exponents_takes_several_steps()
    {
        FloatEnvironment environment = With();
        Float80 rest = new(0x3FFF + 200, 0xDEAD_BEEF_0000_0001);
        Float80 three = Float80.FromInt64(3);
        int steps = 0;
        bool isPartial = true;
        while (isPartial && steps < 10)
        {
            rest = Float80.Remainder(rest, three, isNearest: false, ref environment, out _, out isPartial);
            steps++;
        }

        // Two to an odd power leaves two, and the significand one, of three.
        UInt128 expected = new UInt128(0, 0xDEAD_BEEF_0000_0001) % 3 * ((200 - 63) % 2 == 0 ? 1u : 2) % 3;
        Assert.That(steps, Is.InRange(2, 6));
        Assert.That(rest, Is.EqualTo(Float80.FromInt64((long)expected)));
        Assert.That(environment.Raised, Is.EqualTo(FloatExceptions.None));
    }

    /// <summary>The logarithm alone would be denormal and have one bit.</summary>
    [Test]
    public void The_logarithm_of_nearly_one_keeps_its_bits()
    {
        FloatEnvironment environment = With();

        Float80 product = Float80.MultiplyByLogarithmOfOnePlus(
            SmallestDenormal, new Float80(0x3FFF + 16380, One), ref environment);

        // The smallest denormal is two to the power of -16445; the bits are those of the binary logarithm of e.
        Assert.That(product, Is.EqualTo(new Float80(0x3FFF - 65, 0xB8AA_3B29_5C17_F0BC)));
    }

    private static FloatEnvironment With(
        RoundingMode mode = RoundingMode.Nearest, byte precision = 64, FloatExceptions masked = FloatExceptions.All) =>
        new() { Rounding = mode, Precision = precision, Masked = masked };
}

using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>Floating-point arithmetic: what the manuals say about NaNs, zeros, rounding, tiny results and flags.</summary>
[TestFixture]
internal sealed class FloatArithmeticTests
{
    private const uint Invalid = 1;
    private const uint Denormal = 2;
    private const uint DivideByZero = 4;
    private const uint Overflow = 8;
    private const uint Underflow = 16;
    private const uint Precision = 32;
    private const uint DenormalsAreZero = 1 << 6;
    private const uint Down = 1 << 13;
    private const uint Up = 2 << 13;
    private const uint TowardsZero = 3 << 13;
    private const uint FlushToZero = 1 << 15;

    private const uint One = 0x3F80_0000;
    private const uint Smallest = 1;
    private const uint SmallestNormal = 0x0080_0000;
    private const uint Largest = 0x7F7F_FFFF;
    private const uint Infinity = 0x7F80_0000;
    private const uint Negative = 0x8000_0000;
    private const uint DefaultNaN = 0xFFC0_0000;
    private const uint QuietNaN = 0x7FC0_0123;
    private const uint SignalingNaN = 0xFF80_0456;

    [TestCase(QuietNaN, SignalingNaN, QuietNaN, Invalid)]
    [TestCase(SignalingNaN, QuietNaN, 0xFFC0_0456u, Invalid)]
    [TestCase(One, SignalingNaN, 0xFFC0_0456u, Invalid)]
    [TestCase(QuietNaN, Smallest, QuietNaN, 0u)]
    [TestCase(Infinity, Infinity | Negative, DefaultNaN, Invalid)]
    [TestCase(Infinity, Smallest, Infinity, Denormal)]
    [TestCase(One, 0x3300_0000u, One, Precision)]
    [TestCase(Largest, Largest, Infinity, Overflow | Precision)]
    [TestCase(One, One | Negative, 0u, 0u)]
    [TestCase(Smallest, Smallest, 2u, Denormal)]
    public void An_addition(uint a, uint b, uint result, uint flags) => Check(c => c.addss(xmm0, xmm1), a, b, 0, result, flags);

    [TestCase(0u, Infinity, DefaultNaN, Invalid)]
    [TestCase(Smallest, Infinity, Infinity, Denormal)]
    [TestCase(SmallestNormal, 0x3F00_0000u, 0x0040_0000u, 0u)]
    [TestCase(0x0080_0001u, 0x3F00_0000u, 0x0040_0000u, Underflow | Precision)]
    [TestCase(0x0080_0000u, 0x3F7F_FFFFu, SmallestNormal, Underflow | Precision)]
    [TestCase(Smallest, 0x3F00_0000u, 0u, Denormal | Underflow | Precision)]
    [TestCase(0u, 0x8040_0000u, Negative, Denormal)]
    public void A_product(uint a, uint b, uint result, uint flags) => Check(c => c.mulss(xmm0, xmm1), a, b, 0, result, flags);

    [TestCase(One, 0u, Infinity, DivideByZero)]
    [TestCase(Smallest, Negative, Infinity | Negative, DivideByZero)]
    [TestCase(0u, Negative, DefaultNaN, Invalid)]
    [TestCase(Infinity, 0u, Infinity, 0u)]
    [TestCase(One, 0x4040_0000u, 0x3EAA_AAABu, Precision)]
    [TestCase(0x4110_0000u, 0x4040_0000u, 0x4040_0000u, 0u)]
    public void A_quotient(uint a, uint b, uint result, uint flags) => Check(c => c.divss(xmm0, xmm1), a, b, 0, result, flags);

    [TestCase(0x4000_0000u, 0x3FB5_04F3u, Precision)]
    [TestCase(0x4110_0000u, 0x4040_0000u, 0u)]
    [TestCase(Negative, Negative, 0u)]
    [TestCase(Smallest | Negative, DefaultNaN, Invalid)]
    [TestCase(Smallest, 0x1A35_04F3u, Denormal | Precision)]
    public void A_square_root(uint b, uint result, uint flags) => Check(c => c.sqrtss(xmm0, xmm1), One, b, 0, result, flags);

    /// <summary>One plus half the distance to the next number, and its negative.</summary>
    [TestCase(0u, 0u, One)]
    [TestCase(0u, Down, One)]
    [TestCase(0u, Up, One + 1)]
    [TestCase(0u, TowardsZero, One)]
    [TestCase(Negative, Down, One + 1)]
    [TestCase(Negative, Up, One)]
    [TestCase(Negative, TowardsZero, One)]
    public void A_sum_is_rounded_as_MXCSR_says(uint sign, uint control, uint magnitude) =>
        Check(c => c.addss(xmm0, xmm1), One | sign, 0x3380_0000 | sign, control, magnitude | sign, Precision);

    [TestCase(Down, Negative)]
    [TestCase(Up, 0u)]
    public void The_sum_of_opposites_is_a_zero_whose_sign_depends_on_the_rounding(uint control, uint result) =>
        Check(c => c.addss(xmm0, xmm1), One, One | Negative, control, result, 0);

    [TestCase(Down, Largest)]
    [TestCase(Up, Infinity)]
    [TestCase(TowardsZero, Largest)]
    public void An_overflow_is_rounded_too(uint control, uint result) =>
        Check(c => c.mulss(xmm0, xmm1), Largest, 0x4000_0000, control, result, Overflow | Precision);

    [Test]
    public void Denormal_operands_count_as_zero_if_DAZ_is_set() =>
        Check(c => c.mulss(xmm0, xmm1), Smallest | Negative, Largest, DenormalsAreZero, Negative, 0);

    [Test]
    public void A_tiny_result_becomes_zero_if_FTZ_is_set() =>
        Check(c => c.mulss(xmm0, xmm1), SmallestNormal | Negative, 0x3F00_0000, FlushToZero, Negative, Underflow | Precision);

    [TestCase(0u, Negative, Negative, 0u)]
    [TestCase(Negative, 0u, 0u, 0u)]
    [TestCase(QuietNaN, One, One, Invalid)]
    [TestCase(One, QuietNaN, QuietNaN, Invalid)]
    [TestCase(One, SignalingNaN, SignalingNaN, Invalid)]
    [TestCase(Smallest, One, Smallest, Denormal)]
    [TestCase(Infinity | Negative, One, Infinity | Negative, 0u)]
    public void A_minimum_is_the_second_operand_in_doubt(uint a, uint b, uint result, uint flags) =>
        Check(c => c.minss(xmm0, xmm1), a, b, 0, result, flags);

    [TestCase(0, QuietNaN, 0u, 0u)]
    [TestCase(1, QuietNaN, 0u, Invalid)]
    [TestCase(2, QuietNaN, 0u, Invalid)]
    [TestCase(3, QuietNaN, uint.MaxValue, 0u)]
    [TestCase(4, QuietNaN, uint.MaxValue, 0u)]
    [TestCase(5, QuietNaN, uint.MaxValue, Invalid)]
    [TestCase(6, QuietNaN, uint.MaxValue, Invalid)]
    [TestCase(7, QuietNaN, 0u, 0u)]
    [TestCase(0, SignalingNaN, 0u, Invalid)]
    [TestCase(2, One, uint.MaxValue, 0u)]
    [TestCase(6, One, 0u, 0u)]
    [TestCase(1, Smallest, 0u, Denormal)]
    public void A_comparison(int predicate, uint b, uint result, uint flags) =>
        Check(c => c.cmpss(xmm0, xmm1, (byte)predicate), One, b, 0, result, flags);

    [TestCase(One, 0x4000_0000u, 0x1UL, 0u)]
    [TestCase(0x4000_0000u, One, 0x0UL, 0u)]
    [TestCase(0u, Negative, 0x40UL, 0u)]
    [TestCase(One, QuietNaN, 0x45UL, Invalid)]
    public void COMISS_signals_for_quiet_NaNs(uint a, uint b, ulong rflags, uint flags) =>
        CheckFlags(c => c.comiss(xmm0, xmm1), a, b, rflags, flags);

    [TestCase(One, QuietNaN, 0x45UL, 0u)]
    [TestCase(One, SignalingNaN, 0x45UL, Invalid)]
    public void UCOMISS_does_not_signal_for_quiet_NaNs(uint a, uint b, ulong rflags, uint flags) =>
        CheckFlags(c => c.ucomiss(xmm0, xmm1), a, b, rflags, flags);

    [TestCase(0x3FC0_0000u, 0, 0x4000_0000u, Precision)]
    [TestCase(0x4020_0000u, 0, 0x4000_0000u, Precision)]
    [TestCase(0xBF00_0000u, 2, Negative, Precision)]
    [TestCase(0xBF00_0000u, 1, 0xBF80_0000u, Precision)]
    [TestCase(0xBFC0_0000u, 3, 0xBF80_0000u, Precision)]
    [TestCase(0x3FC0_0000u, 8, 0x4000_0000u, 0u)]
    [TestCase(Smallest, 2, One, Precision)]
    [TestCase(SignalingNaN, 8, 0xFFC0_0456u, Invalid)]
    [TestCase(0x4B00_0001u, 0, 0x4B00_0001u, 0u)]
    public void ROUNDSS(uint b, int control, uint result, uint flags) =>
        Check(c => c.roundss(xmm0, xmm1, (byte)control), One, b, 0, result, flags);

    [Test]
    public void Packed_elements_are_independent()
    {
        using var guest = new VectorGuest(c => c.divps(xmm0, xmm1));
        guest[0] = VectorIntegerTests.Parse("3F800000_3F800000_40C00000_00000000");
        guest[1] = VectorIntegerTests.Parse("00000000_40400000_40000000_80000000");

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo("7F800000_3EAAAAAB_40400000_FFC00000"));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(Invalid | DivideByZero | Precision));
    }

    /// <summary>Once an inexact result was seen, whole vectors go another way.</summary>
    [Test]
    public void Packed_elements_are_independent_once_a_result_was_inexact()
    {
        using var guest = new VectorGuest(c => { c.mulps(xmm0, xmm1); c.mulps(xmm2, xmm3); });
        guest[0] = VectorIntegerTests.Parse("3F800000_00000000_40C00000_40400000");
        guest[1] = VectorIntegerTests.Parse("BF800000_40400000_40000000_3EAAAAAB");
        guest[2] = VectorIntegerTests.Parse("00800000_00000000_40C00000_40400000");
        guest[3] = VectorIntegerTests.Parse("00800000_40400000_40000000_3EAAAAAB");
        guest.Mxcsr |= Precision;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo("BF800000_00000000_41400000_3F800000"));
        Assert.That(VectorIntegerTests.Format(guest[2]), Is.EqualTo("00000000_00000000_41400000_3F800000"));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(Underflow | Precision));
    }

    [Test]
    public void Neighbours_are_added_subtracted_and_multiplied()
    {
        using var guest = new VectorGuest(c =>
        {
            c.movaps(xmm2, xmm0);
            c.movaps(xmm3, xmm0);
            c.haddps(xmm2, xmm1);
            c.addsubps(xmm3, xmm1);
            c.dpps(xmm0, xmm1, 0x75);
        });
        guest[0] = Singles(4, 3, 2, 1);
        guest[1] = Singles(80, 70, 60, 50);

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest[2], Is.EqualTo(Singles(150, 110, 7, 3)));
        Assert.That(guest[3], Is.EqualTo(Singles(84, -67, 62, -49)));
        Assert.That(guest[0], Is.EqualTo(Singles(0, 380, 0, 380)));
        Assert.That(guest.Mxcsr & 0x3F, Is.Zero);
    }

    /// <summary>The bound that the architecture gives, and the special cases, which it gives exactly.</summary>
    [Test]
    public void Approximations_are_near_enough()
    {
        const double bound = 1.5 / 4096;
        var random = new Random(3);
        using var guest = new VectorGuest(c => { c.rcpss(xmm0, xmm2); c.rsqrtss(xmm1, xmm2); });
        for (int i = 0; i < 200; i++)
        {
            uint bits = (uint)random.Next((int)SmallestNormal, 0x7E00_0000);
            guest[2] = bits;
            Assert.That(guest.Run(), Is.EqualTo(-1));

            double value = BitConverter.UInt32BitsToSingle(bits);
            double reciprocal = BitConverter.UInt32BitsToSingle((uint)guest[0]);
            double root = BitConverter.UInt32BitsToSingle((uint)guest[1]);
            Assert.That(Math.Abs((reciprocal * value) - 1), Is.LessThanOrEqualTo(bound));
            Assert.That(Math.Abs((root * Math.Sqrt(value)) - 1), Is.LessThanOrEqualTo(bound));
        }
    }

    [TestCase(Negative, Infinity | Negative, Infinity | Negative)]
    [TestCase(Smallest, Infinity, Infinity)]
    [TestCase(Infinity, 0u, 0u)]
    [TestCase(Infinity | Negative, Negative, DefaultNaN)]
    [TestCase(SignalingNaN, 0xFFC0_0456u, 0xFFC0_0456u)]
    public void Approximations_of_special_numbers(uint value, uint reciprocal, uint root)
    {
        Check(c => c.rcpss(xmm0, xmm1), One, value, 0, reciprocal, 0);
        Check(c => c.rsqrtss(xmm0, xmm1), One, value, 0, root, 0);
    }

    private static UInt128 Singles(params ReadOnlySpan<float> values)
    {
        UInt128 result = 0;
        foreach (float value in values)
        {
            result = (result << 32) | BitConverter.SingleToUInt32Bits(value);
        }

        return result;
    }

    /// <summary>Executes with every exception masked: the result in element 0, and the flags that are raised.</summary>
    private static void Check(Action<Assembler> code, uint a, uint b, uint control, uint result, uint flags)
    {
        UInt128 upper = VectorIntegerTests.Parse("77777777_66666666_55555555_00000000");
        using var guest = new VectorGuest(code);
        guest[0] = upper | a;
        guest[1] = b;
        guest.Mxcsr |= control;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo(VectorIntegerTests.Format(upper | result)));
        Assert.That(guest.Mxcsr, Is.EqualTo(VectorGuest.MaskedMxcsr | control | flags));
    }

    private static void CheckFlags(Action<Assembler> code, uint a, uint b, ulong rflags, uint flags)
    {
        using var guest = new VectorGuest(c => { c.or(eax, -1); code(c); });
        guest[0] = a;
        guest[1] = b;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rflags & 0x8D5, Is.EqualTo(rflags));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }
}

using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>Conversions: what does not fit, how the rest is rounded, and which flags that raises.</summary>
[TestFixture]
internal sealed class ConversionTests
{
    private const uint Invalid = 1;
    private const uint Denormal = 2;
    private const uint Underflow = 16;
    private const uint Precision = 32;
    private const uint Up = 2 << 13;
    private const ulong Indefinite32 = 0x8000_0000;
    private const ulong Indefinite64 = 1UL << 63;

    [TestCase(2147483647.0, 0u, 0x7FFF_FFFFUL, 0u)]
    [TestCase(2147483647.4, 0u, 0x7FFF_FFFFUL, Precision)]
    [TestCase(2147483647.5, 0u, Indefinite32, Invalid)]
    [TestCase(2147483647.1, Up, Indefinite32, Invalid)]
    [TestCase(-2147483648.5, 0u, 0x8000_0000UL, Precision)]
    [TestCase(-2147483648.6, 0u, Indefinite32, Invalid)]
    [TestCase(-2147483648.9, Up, 0x8000_0000UL, Precision)]
    [TestCase(2.5, 0u, 2UL, Precision)]
    [TestCase(2.5, Up, 3UL, Precision)]
    [TestCase(double.NaN, 0u, Indefinite32, Invalid)]
    [TestCase(double.PositiveInfinity, 0u, Indefinite32, Invalid)]
    [TestCase(double.Epsilon, 0u, 0UL, Precision)]
    [TestCase(double.Epsilon, Up, 1UL, Precision)]
    public void To_a_doubleword(double value, uint control, ulong result, uint flags) =>
        CheckToGeneral(c => c.cvtsd2si(eax, xmm0), value, control, result, flags);

    [TestCase(9223372036854774784.0, 0x7FFF_FFFF_FFFF_FC00UL, 0u)]
    [TestCase(9223372036854775808.0, Indefinite64, Invalid)]
    [TestCase(-9223372036854775808.0, Indefinite64, 0u)]
    [TestCase(-1.9, ulong.MaxValue, Precision)]
    public void To_a_quadword_by_truncation(double value, ulong result, uint flags) =>
        CheckToGeneral(c => c.cvttsd2si(rax, xmm0), value, 0, result, flags);

    [TestCase(0x0100_0001L, 0u, 0x4B80_0000u, Precision)]
    [TestCase(0x0100_0001L, Up, 0x4B80_0001u, Precision)]
    [TestCase(0x0100_0002L, 0u, 0x4B80_0001u, 0u)]
    [TestCase(long.MinValue, 0u, 0xDF00_0000u, 0u)]
    [TestCase(long.MaxValue, 0u, 0x5F00_0000u, Precision)]
    [TestCase(-1L, 0u, 0xBF80_0000u, 0u)]
    public void From_a_quadword_to_single_precision(long value, uint control, uint result, uint flags)
    {
        using var guest = new VectorGuest(c => c.cvtsi2ss(xmm0, rax));
        guest.General = guest.General with { Rax = (ulong)value };
        guest[0] = UInt128.MaxValue;
        guest.Mxcsr |= control;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest[0], Is.EqualTo((UInt128.MaxValue << 32) | result));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }

    [TestCase(0x3FF0_0000_1000_0000UL, 0u, 0x3F80_0000u, Precision)]
    [TestCase(0x3FF0_0000_1000_0001UL, 0u, 0x3F80_0001u, Precision)]
    [TestCase(0x3FF0_0000_3000_0000UL, 0u, 0x3F80_0002u, Precision)]
    [TestCase(0x3FF0_0000_1000_0000UL, Up, 0x3F80_0001u, Precision)]
    [TestCase(0x36A0_0000_0000_0000UL, 0u, 1u, 0u)]
    [TestCase(0x3690_0000_0000_0000UL, 0u, 0u, Underflow | Precision)]
    [TestCase(0x7FF0_0000_2000_0000UL, 0u, 0x7FC0_0001u, Invalid)]
    [TestCase(0xFFF8_0000_4000_0000UL, 0u, 0xFFC0_0002u, 0u)]
    [TestCase(1UL, 0u, 0u, Denormal | Underflow | Precision)]
    public void From_double_to_single_precision(ulong value, uint control, uint result, uint flags)
    {
        using var guest = new VectorGuest(c => c.cvtsd2ss(xmm0, xmm1));
        guest[0] = UInt128.MaxValue;
        guest[1] = value;
        guest.Mxcsr |= control;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest[0], Is.EqualTo((UInt128.MaxValue << 32) | result));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }

    [TestCase(0x0000_0001u, 0x36A0_0000_0000_0000UL, Denormal)]
    [TestCase(0x7F80_0001u, 0x7FF8_0000_2000_0000UL, Invalid)]
    [TestCase(0xFF80_0000u, 0xFFF0_0000_0000_0000UL, 0u)]
    public void From_single_to_double_precision(uint value, ulong result, uint flags)
    {
        using var guest = new VectorGuest(c => c.cvtss2sd(xmm0, xmm1));
        guest[1] = value;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That((ulong)guest[0], Is.EqualTo(result));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }

    [Test]
    public void Packed_doubles_become_doublewords_and_zeros()
    {
        using var guest = new VectorGuest(c => c.cvttpd2dq(xmm0, xmm1));
        guest[0] = UInt128.MaxValue;
        guest[1] = new UInt128(BitConverter.DoubleToUInt64Bits(-3.7), BitConverter.DoubleToUInt64Bits(1e10));

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo("00000000_00000000_FFFFFFFD_80000000"));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(Invalid | Precision));
    }

    private static void CheckToGeneral(Action<Assembler> code, double value, uint control, ulong result, uint flags)
    {
        using var guest = new VectorGuest(code);
        guest.General = guest.General with { Rax = ulong.MaxValue };
        guest[0] = BitConverter.DoubleToUInt64Bits(value);
        guest.Mxcsr |= control;

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rax, Is.EqualTo(result));
        Assert.That(guest.Mxcsr & 0x3F, Is.EqualTo(flags));
    }
}

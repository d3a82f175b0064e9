using System.Buffers.Binary;
using System.Text;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Emulator.Vectors;

/// <summary>PCMPxSTRx: each aggregation, both polarities, implicit and explicit lengths.</summary>
[TestFixture]
internal sealed class StringComparisonTests
{
    private const ulong Carry = 1;
    private const ulong Zero = 0x40;
    private const ulong Sign = 0x80;
    private const ulong Overflow = 0x800;

    // The pattern is in XMM0 and the text in XMM1: both end before their first zero.
    [TestCase("aeiou", "hyperlight", 0x00, 3, Carry | Zero | Sign)]
    [TestCase("aeiou", "hyperlight", 0x40, 6, Carry | Zero | Sign)]
    [TestCase("aeiou", "xyz", 0x00, 16, Zero | Sign)]
    [TestCase("09", "abc7", 0x04, 3, Carry | Zero | Sign)]
    [TestCase("azA", "5Zq", 0x04, 2, Carry | Zero | Sign)]
    [TestCase("hello", "help", 0x18, 3, Carry | Zero | Sign)]
    [TestCase("same", "same", 0x18, 16, Zero | Sign)]
    [TestCase("same", "same", 0x38, 4, Carry | Zero | Sign)]
    [TestCase("ight", "hyperlight", 0x0C, 6, Carry | Zero | Sign)]
    [TestCase("end!", "0123456789abcend", 0x0C, 13, Carry | Sign)]
    [TestCase("", "abc", 0x0C, 0, Carry | Zero | Sign | Overflow)]
    [TestCase("abcdefghijklmnop", "abcdefghijklmnop", 0x08, 0, Carry | Overflow)]
    public void The_index_of_a_match(string pattern, string text, int control, int index, ulong flags)
    {
        using var guest = new VectorGuest(c => c.pcmpistri(xmm0, xmm1, (byte)control));
        guest[0] = ToVector(pattern);
        guest[1] = ToVector(text);
        guest.General = guest.General with { Rcx = ulong.MaxValue };

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rcx, Is.EqualTo(index));
        Assert.That(guest.General.Rflags & 0x8D5, Is.EqualTo(flags));
    }

    [TestCase(0x00, "00000000_00000000_00000000_00000088")]
    [TestCase(0x30, "00000000_00000000_00000000_00000377")]
    [TestCase(0x10, "00000000_00000000_00000000_0000FF77")]
    [TestCase(0x40, "00000000_00000000_FF000000_FF000000")]
    public void The_mask_of_all_matches(int control, string expected)
    {
        using var guest = new VectorGuest(c => c.pcmpistrm(xmm2, xmm1, (byte)control));
        guest[2] = ToVector("egx");
        guest[1] = ToVector("hyperlight");

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(VectorIntegerTests.Format(guest[0]), Is.EqualTo(expected));
    }

    [TestCase(3UL, 5UL, 3, Zero | Sign | Carry)]
    [TestCase(0xFFFF_FFFDUL, 0xFFFF_FFFBUL, 3, Zero | Sign | Carry)]
    [TestCase(0x80UL, 0x8000_0000UL, 16, 0UL)]
    public void Explicit_lengths_are_absolute_and_limited(ulong length1, ulong length2, int index, ulong flags)
    {
        using var guest = new VectorGuest(c => c.pcmpestri(xmm0, xmm1, 0x18));
        guest[0] = ToVector("abcdeXXXXXXXXXXX");
        guest[1] = ToVector("abcdeXXXXXXXXXXX");
        guest.General = guest.General with { Rax = length1, Rdx = length2 };

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest.General.Rcx, Is.EqualTo(index));
        Assert.That(guest.General.Rflags & 0x8D5, Is.EqualTo(flags));
    }

    [Test]
    public void Words_are_compared_as_signed_numbers()
    {
        // Ranges -5 to 5, and nothing behind the half pair.
        using var guest = new VectorGuest(c => c.pcmpestrm(xmm1, xmm2, 0x07));
        guest[1] = VectorIntegerTests.Parse("00000000_00000000_00001234_0005FFFB");
        guest[2] = VectorIntegerTests.Parse("1234FFFB_00050006_FFFA0000_80007FFF");
        guest.General = guest.General with { Rax = 3, Rdx = 8 };

        Assert.That(guest.Run(), Is.EqualTo(-1));
        Assert.That(guest[0], Is.EqualTo((UInt128)0b0110_0100));
    }

    private static UInt128 ToVector(string text)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        Encoding.ASCII.GetBytes(text, bytes);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }
}

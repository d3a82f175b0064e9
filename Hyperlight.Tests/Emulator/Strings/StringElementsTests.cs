using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Tests.Emulator.Strings;

/// <summary>Elements of host memory are moved and compared in order.</summary>
[TestFixture]
internal sealed class StringElementsTests
{
    [Test]
    public void A_move_onto_the_next_byte_repeats_the_first()
    {
        byte[] bytes = [1, 2, 3, 4, 5];

        StringElements.Move(bytes.AsSpan(0, 4), bytes.AsSpan(1, 4), 1, backwards: false);

        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 1, 1, 1, 1 }));
    }

    [Test]
    public void The_same_move_backwards_keeps_all()
    {
        byte[] bytes = [1, 2, 3, 4, 5];

        StringElements.Move(bytes.AsSpan(0, 4), bytes.AsSpan(1, 4), 1, backwards: true);

        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 1, 2, 3, 4 }));
    }

    [Test]
    public void A_fill_repeats_the_low_bytes()
    {
        byte[] bytes = new byte[6];

        StringElements.Fill(bytes, 2, 0x112233);

        Assert.That(bytes, Is.EqualTo(new byte[] { 0x33, 0x22, 0x33, 0x22, 0x33, 0x22 }));
    }

    [TestCase(false, false, 2)]
    [TestCase(false, true, 3)]
    [TestCase(true, false, 1)]
    [TestCase(true, true, 1)]
    public void A_scan_ends_with_the_element_that_ends_it(bool whileEqual, bool backwards, int expected)
    {
        byte[] bytes = [9, 7, 8, 9, 7, 9, 9];
        byte[] elements = [.. bytes.AsSpan(0, whileEqual ? 3 : 7)];

        int count = StringElements.Scan(elements, 1, whileEqual ? 1UL : 7, whileEqual, backwards);

        Assert.That(count, Is.EqualTo(expected));
    }

    [TestCase(true, false, 3)]
    [TestCase(true, true, 2)]
    [TestCase(false, false, 1)]
    [TestCase(false, true, 1)]
    public void A_comparison_ends_with_the_pair_that_ends_it(bool whileEqual, bool backwards, int expected)
    {
        ushort[] left = [1, 2, 3, 4];
        ushort[] right = [1, 2, 9, 4];

        int count = StringElements.Compare(Bytes(left), Bytes(right), 2, whileEqual, backwards);

        Assert.That(count, Is.EqualTo(expected));
    }

    [Test]
    public void A_comparison_without_an_end_takes_all()
    {
        ushort[] left = [1, 2, 3];

        Assert.That(StringElements.Compare(Bytes(left), Bytes(left), 2, whileEqual: true, backwards: true), Is.EqualTo(3));
        Assert.That(StringElements.Scan(Bytes(left), 2, 5, whileEqual: false, backwards: false), Is.EqualTo(3));
    }

    private static ReadOnlySpan<byte> Bytes(ushort[] elements) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(elements.AsSpan());
}

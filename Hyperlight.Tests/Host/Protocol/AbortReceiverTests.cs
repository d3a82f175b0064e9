using Hyperlight.Host.Protocol;

namespace Hyperlight.Tests.Host.Protocol;

/// <summary>The abort protocol: packets of up to three bytes, an error code, a message, a terminator.</summary>
[TestFixture]
internal sealed class AbortReceiverTests
{
    private readonly AbortReceiver _receiver = new();

    [SetUp]
    public void SetUp() => _receiver.Reset();

    [Test]
    public void The_worked_example_of_the_abi_is_understood()
    {
        Assert.That(_receiver.Receive(0x0000_0D01), Is.Null);
        Assert.That(_receiver.Receive(0x0069_6802), Is.Null);
        Assert.That(_receiver.Receive(0x0000_FF01), Is.EqualTo(new GuestAbort(13, "hi", null)));
    }

    [Test]
    public void A_bare_terminator_is_code_zero() =>
        Assert.That(_receiver.Receive(0x0000_FF01), Is.EqualTo(new GuestAbort(0, "", null)));

    [TestCase((byte)0, "DivideByZero")]
    [TestCase((byte)6, "InvalidOpcode")]
    [TestCase((byte)14, "PageFault")]
    [TestCase((byte)20, "VirtualizationException")]
    [TestCase((byte)30, "SecurityException")]
    public void An_exceptions_number_names_it(byte vector, string name) =>
        Assert.That(Send([15, vector, (byte)'x', 0xFF]), Is.EqualTo(new GuestAbort(15, $"Exception: {name} | x", vector)));

    [TestCase((byte)21)]
    [TestCase((byte)31)]
    public void Other_first_bytes_are_text(byte first) =>
        Assert.That(Send([15, first, 0xFF]), Is.EqualTo(new GuestAbort(15, ((char)first).ToString(), null)));

    [Test]
    public void A_count_above_three_counts_as_three() =>
        Assert.That(_receiver.Receive(0xFF41_07FE), Is.EqualTo(new GuestAbort(7, "A", null)));

    [Test]
    public void Bytes_after_the_terminator_are_ignored()
    {
        Assert.That(_receiver.Receive(0x41FF_0703), Is.EqualTo(new GuestAbort(7, "", null)));
        Assert.That(_receiver.Receive(0x0000_FF01), Is.EqualTo(new GuestAbort(0, "", null)), "nothing is left over");
    }

    [Test]
    public void Text_that_is_not_utf8_is_replaced() =>
        Assert.That(Send([8, (byte)'a', 0xC3, 0xFF])?.Message, Is.EqualTo("a\uFFFD"));

    [Test]
    public void A_kilobyte_fits()
    {
        byte[] bytes = [8, .. Enumerable.Repeat((byte)'z', 1023), 0xFF];

        Assert.That(Send(bytes), Is.EqualTo(new GuestAbort(8, new string('z', 1023), null)));
    }

    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(5000)]
    public void A_message_of_a_kilobyte_or_more_overflows_with_the_text_of_the_abi(int length)
    {
        byte[] bytes = [8, .. Enumerable.Repeat((byte)'z', length), 0xFF];

        Assert.That(Send(bytes), Is.EqualTo(new GuestAbort(0, "Guest abort buffer overflowed", null)));
    }

    [Test]
    public void An_unfinished_abort_is_forgotten_on_reset()
    {
        Send([9, (byte)'x']);
        _receiver.Reset();

        Assert.That(_receiver.Receive(0x0000_FF01), Is.EqualTo(new GuestAbort(0, "", null)));
    }

    private GuestAbort? Send(byte[] bytes)
    {
        foreach (byte[] chunk in bytes.Chunk(3))
        {
            uint packet = (uint)chunk.Length;
            for (int i = 0; i < chunk.Length; i++)
            {
                packet |= (uint)chunk[i] << (8 * (i + 1));
            }

            if (_receiver.Receive(packet) is { } abort)
            {
                return abort;
            }
        }

        return null;
    }
}

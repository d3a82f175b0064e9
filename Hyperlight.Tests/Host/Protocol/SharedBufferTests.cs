using System.Buffers.Binary;
using CommunityToolkit.HighPerformance.Buffers;
using Hyperlight.Abstractions;
using Hyperlight.Host.Protocol;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Protocol;

/// <summary>The stack of messages between host and guest, as the ABI draws it and as a hostile guest may leave it.</summary>
[TestFixture]
internal sealed class SharedBufferTests
{
    private const int Offset = 0x1000;
    private const int Size = 0x2000;

    private ManagedMemoryRegion _memory = null!;
    private SharedBuffer _buffer = null!;

    [SetUp]
    public void SetUp()
    {
        _memory = new ManagedMemoryRegion(0x4000);
        _memory.GetSpan(0, 0x4000).Fill(0xEE);
        _buffer = new SharedBuffer(_memory, Offset, Size, "output");
        _buffer.Reset();
    }

    [TearDown]
    public void TearDown() => _memory.Dispose();

    [Test]
    public void A_pushed_message_lies_where_the_abi_says()
    {
        Push(GoldenVectors.IntResult);

        Assert.That(Word(0), Is.EqualTo(0x50));
        Assert.That(_memory.GetSpan(Offset + 8, 64).ToArray(), Is.EqualTo(GoldenVectors.IntResult));
        Assert.That(Word(0x48), Is.EqualTo(8));
    }

    [Test]
    public void Messages_come_back_in_reverse_and_are_erased()
    {
        Push(GoldenVectors.IntResult);
        Push(GoldenVectors.ErrorResult);

        Assert.That(Pop(), Is.EqualTo(GoldenVectors.ErrorResult));
        Assert.That(Pop(), Is.EqualTo(GoldenVectors.IntResult));
        Assert.That(Word(0), Is.EqualTo(8));
        Assert.That(_memory.GetSpan(Offset + 8, 64 + 72 + 16).ToArray(), Is.All.Zero);
        Assert.That(_memory.GetSpan(Offset + 8 + 64 + 72 + 16, 1)[0], Is.EqualTo(0xEE), "nothing beyond is touched");
    }

    [Test]
    public void The_largest_message_is_the_buffers_size_less_sixteen()
    {
        Push(Message(Size - 16));
        Assert.That(Word(0), Is.EqualTo(Size));
        Assert.That(Pop(), Has.Length.EqualTo(Size - 16));

        Assert.That(
            () => Push(Message(Size - 15)),
            Throws.TypeOf<MessageTooLargeException>()
                .With.Property(nameof(MessageTooLargeException.Size)).EqualTo(Size - 15)
                .And.Property(nameof(MessageTooLargeException.Limit)).EqualTo(Size - 16));
    }

    /// <summary>Three words are read before the message: where the stack ends, where the message begins, and its size.</summary>
    [Test]
    public void The_size_of_a_message_is_what_it_was_when_it_was_checked()
    {
        Push(GoldenVectors.IntResult);
        var region = new StubbornRegion(_memory);
        int reads = 0;
        void Meanwhile()
        {
            region.Meanwhile = Meanwhile;
            if (++reads == 4)
            {
                _memory.GetSpan(Offset + 8, sizeof(uint)).Fill(0xFF);
            }
        }

        Meanwhile();
        reads = 0;

        using SpanOwner<byte> message = new SharedBuffer(region, Offset, Size, "output").Pop();

        Assert.That(reads, Is.EqualTo(4));
        Assert.That(message.Span.ToArray(), Is.EqualTo(GoldenVectors.IntResult));
    }

    [Test]
    public void An_empty_buffer_has_no_message() =>
        Assert.That(Pop, Throws.TypeOf<GuestProtocolException>().With.Message.Contains("holds no message"));

    [TestCase(0UL)]
    [TestCase(7UL)]
    [TestCase(15UL)]
    [TestCase(0x2001UL)]
    [TestCase(0x8000_0000UL)]
    [TestCase(ulong.MaxValue)]
    public void A_stack_pointer_outside_the_buffer_is_refused(ulong pointer)
    {
        SetWord(0, pointer);

        Assert.That(Pop, Throws.TypeOf<GuestProtocolException>().With.Message.Contains($"0x{pointer:X}"));
    }

    [TestCase(0UL)]
    [TestCase(7UL)]
    [TestCase(0x2001UL)]
    [TestCase(ulong.MaxValue)]
    public void Nothing_is_pushed_on_a_corrupted_buffer(ulong pointer)
    {
        SetWord(0, pointer);

        Assert.That(() => Push([4, 0, 0, 0, 0, 0, 0, 0]), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("corrupted"));
    }

    [TestCase(0UL)]
    [TestCase(4UL)]
    [TestCase(7UL)]
    [TestCase(0x48UL)]
    [TestCase(0x49UL)]
    [TestCase(0x50UL)]
    [TestCase(ulong.MaxValue)]
    public void A_back_pointer_outside_the_message_is_refused(ulong pointer)
    {
        Push(GoldenVectors.IntResult);
        SetWord(0x48, pointer);

        Assert.That(Pop, Throws.TypeOf<GuestProtocolException>().With.Message.Contains($"back pointer is 0x{pointer:X}"));
    }

    [TestCase(61u)]
    [TestCase(0x7FFF_FFFFu)]
    [TestCase(0xFFFF_FFFCu)]
    [TestCase(uint.MaxValue)]
    public void A_size_prefix_beyond_the_slot_is_refused(uint size)
    {
        Push(GoldenVectors.IntResult);
        BinaryPrimitives.WriteUInt32LittleEndian(_memory.GetSpan(Offset + 8, 4), size);

        Assert.That(Pop, Throws.TypeOf<GuestProtocolException>().With.Message.Contains($"{size} bytes"));
    }

    [Test]
    public void A_slot_too_small_for_a_size_prefix_is_refused()
    {
        SetWord(0, 16 + 3);
        BinaryPrimitives.WriteUInt64LittleEndian(_memory.GetSpan(Offset + 11, 8), 8);

        Assert.That(Pop, Throws.TypeOf<GuestProtocolException>());
    }

    [Test]
    public void Only_bytes_that_the_host_wrote_are_cleared()
    {
        Push(GoldenVectors.IntResult);
        _buffer.Reserve(100, "The message", "that was given up", out int start).Fill(7);

        _buffer.Clear();

        int end = start + 100 + 8;
        Assert.That(_memory.GetSpan(Offset, end).ToArray(), Is.All.Zero);
        Assert.That(_memory.GetSpan((nuint)(Offset + end), Size - end).ToArray(), Is.All.EqualTo(0xEE));
    }

    [Test]
    public void Messages_high_in_the_buffer_are_cleared_in_every_case()
    {
        SetWord(0, Size - 0x100);
        Push(GoldenVectors.IntResult);
        SetWord(0, 8);
        Push(GoldenVectors.IntResult);

        _buffer.Clear();

        Assert.That(_memory.GetSpan(Offset, Size - 0x100 + 64 + 8).ToArray(), Is.All.Zero);
    }

    [Test]
    public void Random_words_never_leave_the_buffer()
    {
        var random = new Random(3);
        for (int i = 0; i < 100_000; i++)
        {
            SetWord(0, (ulong)random.Next(0, Size + 64));
            _memory.GetSpan((nuint)(Offset + (8 * random.Next(1, 64))), 8)[0] = (byte)random.Next(256);
            try
            {
                Pop();
            }
            catch (GuestProtocolException)
            {
                // Refused, which is what is expected of most.
            }
        }

        Assert.That(_memory.GetSpan(0, Offset).ToArray(), Is.All.EqualTo(0xEE));
        Assert.That(_memory.GetSpan(Offset + Size, 0x1000).ToArray(), Is.All.EqualTo(0xEE));
    }

    private static byte[] Message(int length)
    {
        byte[] message = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(message, length - 4);
        return message;
    }

    private void Push(byte[] message)
    {
        message.CopyTo(_buffer.Reserve(message.Length, "The message", "test", out int start));
        _buffer.Commit(start, message.Length);
    }

    private byte[] Pop()
    {
        using SpanOwner<byte> message = _buffer.Pop();
        return message.Span.ToArray();
    }

    private ulong Word(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_memory.GetSpan((nuint)(Offset + at), 8));

    private void SetWord(int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_memory.GetSpan((nuint)(Offset + at), 8), value);
}

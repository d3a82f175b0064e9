using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>The bytes that the decoder reads: copied from guest memory once, so that what is decoded is what was checked.</summary>
internal sealed class CodeBuffer : CodeReader
{
    /// <summary>The most bytes that it holds.</summary>
    public const int Capacity = (DecodingBuffers.LongestBlock + 1) * LongInstruction.MostBytes;

    private readonly byte[] _bytes = new byte[Capacity];

    public int Position { get; set; }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Consumed(int length) => _bytes.AsSpan(0, length);

    /// <summary>What was appended, also what was not decoded.</summary>
    public ReadOnlySpan<byte> Appended => _bytes.AsSpan(0, Length);

    public void Start() => (Position, Length) = (0, 0);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _bytes.Length - Length);
        bytes[..count].CopyTo(_bytes.AsSpan(Length));
        Length += count;
    }

    public override int ReadByte() => Position < Length ? _bytes[Position++] : -1;
}

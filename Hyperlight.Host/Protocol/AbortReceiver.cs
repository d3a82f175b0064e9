using System.Text;

namespace Hyperlight.Host.Protocol;

/// <summary>
/// Collects the bytes that a guest sends, up to three at a time, when it aborts: an error code, a message, a terminator. If
/// the message starts with an exception's number it is that exception's.
/// </summary>
internal sealed class AbortReceiver
{
    private const byte Terminator = 0xFF;
    private const int MaxBytesPerPacket = 3;
    private const int MaxBytes = 1024;

    /// <summary>The text of hyperlight-host, to the letter: it is part of the guest ABI.</summary>
    private const string OverflowMessage = "Guest abort buffer overflowed";

    private byte[]? _bytes;
    private int _count;

    /// <summary>Forgets an abort that was begun but not finished.</summary>
    public void Reset() => _count = 0;

    /// <summary>Takes one packet: the count in the low byte, then the bytes.</summary>
    /// <returns>The abort if this packet ends it, else <see langword="null"/>.</returns>
    public GuestAbort? Receive(uint packet)
    {
        int count = Math.Min((int)(packet & 0xFF), MaxBytesPerPacket);
        for (int i = 1; i <= count; i++)
        {
            byte value = (byte)(packet >> (8 * i));
            if (value == Terminator)
            {
                return Complete();
            }

            if (_count == MaxBytes)
            {
                Reset();
                return new GuestAbort(0, OverflowMessage, null);
            }

            (_bytes ??= new byte[MaxBytes])[_count++] = value;
        }

        return null;
    }

    private GuestAbort Complete()
    {
        ReadOnlySpan<byte> bytes = _bytes.AsSpan(0, _count);
        Reset();
        if (bytes.IsEmpty)
        {
            return new GuestAbort(0, string.Empty, null);
        }

        byte code = bytes[0];
        ReadOnlySpan<byte> text = bytes[1..];
        if (!text.IsEmpty && GuestException.NameOf(text[0]) is { } name)
        {
            return new GuestAbort(code, $"Exception: {name} | {Encoding.UTF8.GetString(text[1..])}", text[0]);
        }

        return new GuestAbort(code, Encoding.UTF8.GetString(text), null);
    }
}

using System.Buffers.Binary;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A guest's side of the two buffers through which guest and host exchange messages.</summary>
internal static class GuestBuffers
{
    /// <summary>The size of each buffer by default; the output buffer follows the input buffer.</summary>
    public const int DefaultSize = 0x4000;

    /// <summary>Takes the message that the host pushed, as a guest would.</summary>
    public static byte[] Pop(Span<byte> input)
    {
        int top = (int)BinaryPrimitives.ReadUInt64LittleEndian(input);
        int start = (int)BinaryPrimitives.ReadUInt64LittleEndian(input[(top - 8)..]);
        byte[] message = input[start..(top - 8)].ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(input, (ulong)start);
        input[start..top].Clear();
        return message;
    }

    /// <summary>Pushes a message for the host, as a guest would.</summary>
    public static void Push(Span<byte> output, ReadOnlySpan<byte> message)
    {
        int top = (int)BinaryPrimitives.ReadUInt64LittleEndian(output);
        message.CopyTo(output[top..]);
        BinaryPrimitives.WriteUInt64LittleEndian(output[(top + message.Length)..], (ulong)top);
        BinaryPrimitives.WriteUInt64LittleEndian(output, (ulong)(top + message.Length + 8));
    }
}

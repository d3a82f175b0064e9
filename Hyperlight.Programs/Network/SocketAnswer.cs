using System.Buffers.Binary;

namespace Hyperlight.Programs.Network;

/// <summary>An answer to the kernel.</summary>
/// <param name="Result">Not negative, or an error number with a minus sign.</param>
/// <param name="Events">What holds of the connection, as of the same moment.</param>
/// <param name="Bytes">What follows.</param>
internal readonly record struct SocketAnswer(int Result, SocketEvents Events, ReadOnlyMemory<byte> Bytes = default)
{
    private const int HeaderSize = 8;

    /// <summary>The bytes that the kernel gets.</summary>
    public byte[] ToArray()
    {
        var answer = new byte[HeaderSize + Bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, Result);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(sizeof(int)), (int)Events);
        Bytes.CopyTo(answer.AsMemory(HeaderSize));
        return answer;
    }
}

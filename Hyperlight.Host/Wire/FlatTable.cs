using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Host.Wire;

/// <summary>
/// Reads a table of a FlatBuffer whose bytes come from a guest. Every offset is checked against the message before it is
/// followed, so no content can make a read leave the message. The message must be a private copy.
/// </summary>
internal readonly ref struct FlatTable
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _message;
    private readonly int _position;
    private readonly int _vtable;
    private readonly int _vtableSize;
    private readonly int _tableSize;

    private FlatTable(ReadOnlySpan<byte> message, long position)
    {
        _message = message;
        _position = Check(message, position, sizeof(int), "table");
        long vtable = _position - (long)BinaryPrimitives.ReadInt32LittleEndian(message[_position..]);
        _vtable = Check(message, vtable, 2 * sizeof(ushort), "vtable");
        _vtableSize = BinaryPrimitives.ReadUInt16LittleEndian(message[_vtable..]);
        _tableSize = BinaryPrimitives.ReadUInt16LittleEndian(message[(_vtable + sizeof(ushort))..]);
        if (_vtableSize < 2 * sizeof(ushort) || (_vtableSize & 1) != 0 || _vtableSize > message.Length - _vtable)
        {
            throw new GuestProtocolException($"A FlatBuffer vtable at offset {_vtable} has the invalid size {_vtableSize}.");
        }

        if (_tableSize < sizeof(int) || _tableSize > message.Length - _position)
        {
            throw new GuestProtocolException($"A FlatBuffer table at offset {_position} has the invalid size {_tableSize}.");
        }
    }

    /// <summary>The root table of a size-prefixed message.</summary>
    /// <exception cref="GuestProtocolException">The message is not a FlatBuffer.</exception>
    public static FlatTable Root(ReadOnlySpan<byte> message)
    {
        const int prefix = sizeof(uint);
        int at = Check(message, prefix, sizeof(uint), "root offset");
        uint declared = BinaryPrimitives.ReadUInt32LittleEndian(message);
        if (declared != message.Length - prefix)
        {
            throw new GuestProtocolException(
                $"A message says it has {declared} bytes, but {message.Length - prefix} follow its size.");
        }

        return new FlatTable(message, prefix + (long)BinaryPrimitives.ReadUInt32LittleEndian(message[at..]));
    }

    /// <summary>A one-byte field, or its default.</summary>
    public byte GetByte(int slot, byte defaultValue = 0) =>
        TryGetField(slot, sizeof(byte), out int at) ? _message[at] : defaultValue;

    /// <summary>A four-byte field, or zero.</summary>
    public uint GetUInt32(int slot) =>
        TryGetField(slot, sizeof(uint), out int at) ? BinaryPrimitives.ReadUInt32LittleEndian(_message[at..]) : 0;

    /// <summary>An eight-byte field, or zero.</summary>
    public ulong GetUInt64(int slot) =>
        TryGetField(slot, sizeof(ulong), out int at) ? BinaryPrimitives.ReadUInt64LittleEndian(_message[at..]) : 0;

    /// <summary>The bytes of a vector or string field; empty and <see langword="false"/> if it is absent.</summary>
    public bool TryGetBytes(int slot, out ReadOnlySpan<byte> bytes)
    {
        if (!TryGetVector(slot, sizeof(byte), out int start, out int count))
        {
            bytes = default;
            return false;
        }

        bytes = _message.Slice(start, count);
        return true;
    }

    /// <summary>The UTF-8 bytes of a string field that must be there.</summary>
    public ReadOnlySpan<byte> GetRequiredBytes(int slot, string field) =>
        TryGetBytes(slot, out ReadOnlySpan<byte> bytes) ? bytes : throw Missing(field);

    /// <summary>A string field, empty if absent.</summary>
    public string GetString(int slot) => TryGetBytes(slot, out ReadOnlySpan<byte> bytes) ? DecodeUtf8(bytes) : string.Empty;

    /// <summary>A table field that must be there.</summary>
    public FlatTable GetRequiredTable(int slot, string field)
    {
        if (!TryGetField(slot, sizeof(uint), out int at))
        {
            throw Missing(field);
        }

        return new FlatTable(_message, Follow(at));
    }

    /// <summary>How many tables a vector field holds; zero if it is absent.</summary>
    public int GetTableCount(int slot) => TryGetVector(slot, sizeof(uint), out _, out int count) ? count : 0;

    /// <summary>One table of a vector field.</summary>
    public FlatTable GetTable(int slot, int index)
    {
        if (!TryGetVector(slot, sizeof(uint), out int start, out int count) || (uint)index >= (uint)count)
        {
            throw new GuestProtocolException($"A FlatBuffer vector has no element {index}.");
        }

        return new FlatTable(_message, Follow(start + (index * sizeof(uint))));
    }

    /// <summary>Decodes UTF-8 that a guest sent; anything invalid is refused rather than replaced.</summary>
    public static string DecodeUtf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new GuestProtocolException($"A string of {bytes.Length} bytes is not valid UTF-8.", exception);
        }
    }

    private static GuestProtocolException Missing(string field) => new($"The required FlatBuffer field '{field}' is missing.");

    private static int Check(ReadOnlySpan<byte> message, long position, int size, string what) =>
        position >= 0 && position <= message.Length - (long)size
            ? (int)position
            : throw new GuestProtocolException(
                $"A FlatBuffer {what} at offset {position} lies outside its message of {message.Length} bytes.");

    private bool TryGetField(int slot, int size, out int at)
    {
        at = 0;
        int entry = (2 + slot) * sizeof(ushort);
        if (entry + sizeof(ushort) > _vtableSize)
        {
            return false;
        }

        int offset = BinaryPrimitives.ReadUInt16LittleEndian(_message[(_vtable + entry)..]);
        if (offset == 0)
        {
            return false;
        }

        if (offset + size > _tableSize)
        {
            throw new GuestProtocolException(
                $"Field {slot} of a FlatBuffer table lies at {offset}, outside its {_tableSize} bytes.");
        }

        at = _position + offset;
        return true;
    }

    private bool TryGetVector(int slot, int elementSize, out int start, out int count)
    {
        start = count = 0;
        if (!TryGetField(slot, sizeof(uint), out int at))
        {
            return false;
        }

        int vector = Check(_message, Follow(at), sizeof(uint), "vector");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_message[vector..]);
        start = vector + sizeof(uint);
        if (length > (uint)((_message.Length - start) / elementSize))
        {
            throw new GuestProtocolException(
                $"A FlatBuffer vector of {length} elements at offset {vector} leaves its message of {_message.Length} bytes.");
        }

        count = (int)length;
        return true;
    }

    private long Follow(int at) => at + (long)BinaryPrimitives.ReadUInt32LittleEndian(_message[at..]);
}

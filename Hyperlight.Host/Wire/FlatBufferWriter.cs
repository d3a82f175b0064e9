using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Hyperlight.Host.Wire;

/// <summary>
/// Builds one size-prefixed FlatBuffer from its end to its start, as the format wants: children before parents.
/// Over an empty span it only measures. So a message is measured first and then written straight into shared memory, into
/// exactly the bytes it needs, without an intermediate buffer.
/// </summary>
internal ref struct FlatBufferWriter
{
    private const int MaxSlots = 4;
    private const int OffsetSize = sizeof(uint);

    private readonly Span<byte> _buffer;
    private long _used;
    private int _alignment = 1;

    private long _tableEnd;
    private int _slotCount;
    private Slots _slots;
    private VtableCache _vtables;
    private int _vtableCount;

    /// <param name="buffer">The exact bytes of the message, or an empty span to measure it.</param>
    public FlatBufferWriter(Span<byte> buffer) => _buffer = buffer;

    private readonly bool IsMeasuring => _buffer.IsEmpty;

    /// <summary>Appends a UTF-8 string and returns its position, counted from the end.</summary>
    /// <exception cref="ArgumentException">The text is not valid Unicode: it has no UTF-8 form.</exception>
    public long CreateString(scoped ReadOnlySpan<char> text)
    {
        UnicodeText.ThrowIfInvalid(text);
        int length = Encoding.UTF8.GetByteCount(text);
        BeginVector(length, terminator: 1);
        if (!IsMeasuring)
        {
            Encoding.UTF8.GetBytes(text, Reserved(length));
        }

        return EndVector(length);
    }

    /// <summary>Appends a vector of bytes and returns its position, counted from the end.</summary>
    public long CreateBytes(scoped ReadOnlySpan<byte> bytes)
    {
        BeginVector(bytes.Length, terminator: 0);
        if (!IsMeasuring)
        {
            bytes.CopyTo(Reserved(bytes.Length));
        }

        return EndVector(bytes.Length);
    }

    /// <summary>Appends a vector of offsets to tables and returns its position, counted from the end.</summary>
    public long CreateOffsets(scoped ReadOnlySpan<long> positions)
    {
        Align(OffsetSize, positions.Length * (long)OffsetSize);
        for (int i = positions.Length - 1; i >= 0; i--)
        {
            PushOffset(positions[i]);
        }

        PushUInt32((uint)positions.Length);
        return _used;
    }

    /// <summary>Starts a table. Its fields must be added in descending order of their size.</summary>
    public void StartTable()
    {
        _tableEnd = _used;
        _slotCount = 0;
        _slots = default;
    }

    /// <summary>Adds a scalar field of one byte unless it has its default.</summary>
    public void AddByte(int slot, byte value, byte defaultValue = 0)
    {
        if (value != defaultValue)
        {
            PushRaw(value, 1);
            SetSlot(slot);
        }
    }

    /// <summary>Adds a scalar field of four bytes unless its bits are zero.</summary>
    public void AddUInt32(int slot, uint bits)
    {
        if (bits != 0)
        {
            Align(sizeof(uint));
            PushRaw(bits, sizeof(uint));
            SetSlot(slot);
        }
    }

    /// <summary>Adds a scalar field of eight bytes unless its bits are zero.</summary>
    public void AddUInt64(int slot, ulong bits)
    {
        if (bits != 0)
        {
            Align(sizeof(ulong));
            PushRaw(bits, sizeof(ulong));
            SetSlot(slot);
        }
    }

    /// <summary>Adds a reference to something already written.</summary>
    public void AddOffset(int slot, long position)
    {
        Align(OffsetSize);
        PushOffset(position);
        SetSlot(slot);
    }

    /// <summary>Ends the table and returns its position, counted from the end.</summary>
    public long EndTable()
    {
        Align(OffsetSize);
        _used += OffsetSize;
        long table = _used;

        int vtableSize = (2 + _slotCount) * sizeof(ushort);
        UInt128 vtable = PackVtable(table, vtableSize);
        long existing = FindVtable(vtable);
        if (existing == 0)
        {
            existing = table + vtableSize;
            _used = existing;
            WriteVtable(vtable, vtableSize);
            RememberVtable(vtable, existing);
        }

        WriteUInt32At(table, (uint)(int)(existing - table));
        return table;
    }

    /// <summary>Ends the message with its root offset and size prefix and returns its size in bytes.</summary>
    public long Finish(long root)
    {
        const int prefix = 2 * OffsetSize;
        Align(Math.Max(_alignment, OffsetSize), prefix);
        PushOffset(root);
        PushUInt32((uint)_used);
        Debug.Assert(IsMeasuring || _used == _buffer.Length, "a message is written into exactly the bytes that were measured");
        return _used;
    }

    private void BeginVector(int length, int terminator)
    {
        Align(OffsetSize, length + (long)terminator);
        for (int i = 0; i < terminator; i++)
        {
            PushRaw(0, 1);
        }

        _used += length;
    }

    private long EndVector(int length)
    {
        PushUInt32((uint)length);
        return _used;
    }

    private readonly Span<byte> Reserved(int length) => _buffer.Slice((int)(_buffer.Length - _used), length);

    /// <summary>Pads so that after <paramref name="additional"/> more bytes the position is a multiple of the alignment.</summary>
    private void Align(int alignment, long additional = 0)
    {
        _alignment = Math.Max(_alignment, alignment);
        int padding = (int)(-(_used + additional) & (alignment - 1));
        if (padding == 0)
        {
            return;
        }

        _used += padding;
        if (!IsMeasuring)
        {
            Reserved(padding).Clear();
        }
    }

    private void PushOffset(long position) => PushUInt32((uint)(_used + OffsetSize - position));

    private void PushUInt32(uint value) => PushRaw(value, sizeof(uint));

    private void PushRaw(ulong value, int size)
    {
        _used += size;
        if (IsMeasuring)
        {
            return;
        }

        Span<byte> target = Reserved(size);
        switch (size)
        {
            case sizeof(byte):
                target[0] = (byte)value;
                break;
            case sizeof(uint):
                BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)value);
                break;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(target, value);
                break;
        }
    }

    private readonly void WriteUInt32At(long position, uint value)
    {
        if (!IsMeasuring)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer[(int)(_buffer.Length - position)..], value);
        }
    }

    private void SetSlot(int slot)
    {
        Debug.Assert(slot < MaxSlots, "the schema's widest table that the host writes has four slots");
        _slots[slot] = _used;
        _slotCount = Math.Max(_slotCount, slot + 1);
    }

    /// <summary>The vtable as a number: its size, the table's size, then the offset of each field, 16 bits each.</summary>
    private readonly UInt128 PackVtable(long table, int vtableSize)
    {
        UInt128 packed = (UInt128)(uint)vtableSize | ((UInt128)(uint)(table - _tableEnd) << 16);
        for (int slot = 0; slot < _slotCount; slot++)
        {
            long offset = _slots[slot] == 0 ? 0 : table - _slots[slot];
            packed |= (UInt128)(uint)offset << (16 * (slot + 2));
        }

        return packed;
    }

    private readonly void WriteVtable(UInt128 vtable, int size)
    {
        if (IsMeasuring)
        {
            return;
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, vtable);
        bytes[..size].CopyTo(Reserved(size));
    }

    private readonly long FindVtable(UInt128 vtable)
    {
        for (int i = 0; i < _vtableCount; i++)
        {
            if (_vtables[i].Content == vtable)
            {
                return _vtables[i].Position;
            }
        }

        return 0;
    }

    private void RememberVtable(UInt128 content, long position)
    {
        // More distinct vtables than the cache holds are merely written again: valid, and a few bytes longer.
        if (_vtableCount < VtableCache.Length)
        {
            _vtables[_vtableCount++] = new Vtable(content, position);
        }
    }

    private readonly record struct Vtable(UInt128 Content, long Position);

    [InlineArray(MaxSlots)]
    private struct Slots
    {
        private long _first;
    }

    [InlineArray(Length)]
    private struct VtableCache
    {
        public const int Length = 12;

        private Vtable _first;
    }
}

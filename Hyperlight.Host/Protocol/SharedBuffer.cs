using System.Buffers.Binary;
using CommunityToolkit.HighPerformance.Buffers;
using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;

namespace Hyperlight.Host.Protocol;

/// <summary>
/// One of the two stacks of messages in scratch memory. It starts with a word that says where the first free byte is; each
/// message is followed by a word that says where it starts. The guest can write anything here at any time it runs: every
/// word is read once and checked, and a message is copied out before it is looked at.
/// </summary>
internal sealed class SharedBuffer
{
    private const int WordSize = sizeof(ulong);
    private const int PrefixSize = sizeof(uint);

    private readonly IMemoryRegion _memory;
    private readonly nuint _offset;
    private readonly int _size;
    private readonly string _name;

    /// <summary>Where the bytes end that the host may have written since the buffer was cleared. The first word always is.</summary>
    private int _writtenEnd = WordSize;

    /// <param name="memory">Scratch memory.</param>
    /// <param name="offset">Where the buffer starts in it.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="name">Its name in error messages.</param>
    public SharedBuffer(IMemoryRegion memory, ulong offset, int size, string name)
    {
        _memory = memory;
        _offset = (nuint)offset;
        _size = size;
        _name = name;
    }

    /// <summary>Whether the buffer has its size from a snapshot, for error messages.</summary>
    public bool IsFromSnapshot { get; set; }

    /// <summary>The largest message that fits an empty buffer.</summary>
    public int MaximumMessageSize => _size - (2 * WordSize);

    /// <summary>The largest message that fits on top of what the buffer holds; negative if none does.</summary>
    /// <exception cref="GuestProtocolException">The guest has corrupted the buffer.</exception>
    public int FreeMessageSize => _size - ReadTop() - WordSize;

    /// <summary>Overwrites with zeros what the host has written, so that the guest's writes are all that is left.</summary>
    public void Clear()
    {
        // Overwritten rather than discarded: the next message needs the same pages.
        _memory.GetSpan(_offset, _writtenEnd).Clear();
        _writtenEnd = WordSize;
    }

    /// <summary>Makes the buffer empty, whatever the guest left in its words.</summary>
    public void Reset() => WriteWord(0, WordSize);

    /// <summary>
    /// Makes the buffer empty after the guest has finished. Messages that were not read are dropped, so that they do not
    /// accumulate.
    /// </summary>
    /// <exception cref="GuestProtocolException">The guest has corrupted the buffer; it is empty nevertheless.</exception>
    public void Settle()
    {
        try
        {
            _ = ReadTop();
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Reserves room for a message on top of the stack; it becomes visible with <see cref="Commit"/>.</summary>
    /// <param name="length">Bytes of the message.</param>
    /// <param name="what">What the message is, for the error.</param>
    /// <param name="name">Whose message it is, for the error.</param>
    /// <param name="start">Where the message starts, for <see cref="Commit"/>.</param>
    /// <exception cref="MessageTooLargeException">The message does not fit.</exception>
    /// <exception cref="GuestProtocolException">The guest has corrupted the buffer.</exception>
    public Span<byte> Reserve(long length, string what, string name, out int start)
    {
        start = ReadTop();
        long free = _size - start - WordSize;
        if (length > free)
        {
            throw new MessageTooLargeException($"{what} '{GuestText.Escape(name)}'", length, free, _size, IsFromSnapshot);
        }

        _writtenEnd = Math.Max(_writtenEnd, start + (int)length + WordSize);
        return _memory.GetSpan(_offset + (nuint)start, (int)length);
    }

    /// <summary>Completes a message that was written where <see cref="Reserve"/> said.</summary>
    public void Commit(int start, int length)
    {
        WriteWord(start + length, (ulong)start);
        WriteWord(0, (ulong)(start + length + WordSize));
    }

    /// <summary>Takes the topmost message: a private copy, from a pool, that the caller disposes.</summary>
    /// <exception cref="GuestProtocolException">The buffer is empty or corrupted.</exception>
    public SpanOwner<byte> Pop()
    {
        ulong top = ReadWord(0);
        if (top < 2 * WordSize || top > (ulong)_size)
        {
            throw top == WordSize
                ? new GuestProtocolException($"The guest's {_name} buffer holds no message.")
                : OutOfRange(top, 2 * WordSize);
        }

        ulong start = ReadWord((int)top - WordSize);
        if (start < WordSize || start > top - (2 * WordSize))
        {
            throw Corrupt($"its back pointer is 0x{start:X}, outside 0x{WordSize:X} to 0x{top - (2 * WordSize):X}");
        }

        int capacity = (int)(top - start) - WordSize;
        uint prefix = capacity < PrefixSize ? uint.MaxValue : ReadPrefix((int)start);
        if (prefix > capacity - PrefixSize)
        {
            throw Corrupt($"a message says it has {prefix} bytes, but its slot has {capacity}");
        }

        SpanOwner<byte> message = SpanOwner<byte>.Allocate((int)prefix + PrefixSize);
        _memory.Read(_offset + (nuint)start, message.Span);

        // The size was read before; the copy must say the same, whatever the guest's memory says now.
        BinaryPrimitives.WriteUInt32LittleEndian(message.Span, prefix);
        WriteWord(0, start);

        // Overwritten rather than discarded: the next message needs the same pages.
        _memory.GetSpan(_offset + (nuint)start, (int)(top - start)).Clear();
        return message;
    }

    private int ReadTop()
    {
        ulong top = ReadWord(0);
        return top >= WordSize && top <= (ulong)_size
            ? (int)top
            : throw OutOfRange(top, WordSize);
    }

    private uint ReadPrefix(int at)
    {
        Span<byte> bytes = stackalloc byte[PrefixSize];
        _memory.Read(_offset + (nuint)at, bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private ulong ReadWord(int at)
    {
        Span<byte> bytes = stackalloc byte[WordSize];
        _memory.Read(_offset + (nuint)at, bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private void WriteWord(int at, ulong value)
    {
        Span<byte> bytes = stackalloc byte[WordSize];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _memory.Write(_offset + (nuint)at, bytes);
    }

    private GuestProtocolException OutOfRange(ulong top, int lowest) =>
        Corrupt($"its stack pointer is 0x{top:X}, outside 0x{lowest:X} to 0x{_size:X}");

    private GuestProtocolException Corrupt(string problem) => new($"The guest corrupted its {_name} buffer: {problem}.");
}

namespace Hyperlight.Programs.Network;

/// <summary>Bytes between a socket and a program, of a limited number. A write may go on while bytes are taken. Not thread-safe otherwise.</summary>
internal sealed class ReceivedBytes
{
    private const int Size = 0x1_0000;

    private readonly byte[] _bytes = new byte[Size];
    private long _taken;
    private long _added;

    /// <summary>How many there are.</summary>
    public int Count => (int)(_added - _taken);

    /// <summary>Where the next ones can be written to; empty if there is no space.</summary>
    public Memory<byte> Free
    {
        get
        {
            int start = (int)(_added % Size);
            return _bytes.AsMemory(start, Math.Min(Size - Count, Size - start));
        }
    }

    /// <summary>Bytes were written to <see cref="Free"/>.</summary>
    public void Add(int count) => _added += count;

    /// <summary>The next bytes, at most as many as there are.</summary>
    public byte[] Peek(int count)
    {
        var result = new byte[Math.Min(count, Count)];
        int start = (int)(_taken % Size);
        int first = Math.Min(result.Length, Size - start);
        _bytes.AsSpan(start, first).CopyTo(result);
        _bytes.AsSpan(0, result.Length - first).CopyTo(result.AsSpan(first));
        return result;
    }

    /// <summary>The same, and they are gone.</summary>
    public byte[] Take(int count)
    {
        byte[] result = Peek(count);
        _taken += result.Length;
        return result;
    }
}

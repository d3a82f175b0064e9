using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// What string instructions do to elements in host memory. Spans hold whole elements; backwards, the last of a span is the first
/// that is executed.
/// </summary>
internal static class StringElements
{
    /// <summary>Reads an element.</summary>
    public static ulong Read(ReadOnlySpan<byte> elements, int size, int index, bool backwards)
    {
        int at = backwards ? elements.Length - ((index + 1) * size) : index * size;
        return size switch
        {
            8 => MemoryMarshal.Read<ulong>(elements[at..]),
            4 => MemoryMarshal.Read<uint>(elements[at..]),
            2 => MemoryMarshal.Read<ushort>(elements[at..]),
            _ => elements[at],
        };
    }

    /// <summary>Copies element after element: one that overwrites the source of a later one changes that too.</summary>
    public static void Move(ReadOnlySpan<byte> from, Span<byte> to, int size, bool backwards)
    {
        if (!from.Overlaps(to, out int distance) || (backwards ? distance >= 0 : distance <= 0))
        {
            from.CopyTo(to);
            return;
        }

        switch (size)
        {
            case 8: MoveEach<ulong>(from, to, backwards); break;
            case 4: MoveEach<uint>(from, to, backwards); break;
            case 2: MoveEach<ushort>(from, to, backwards); break;
            default: MoveEach<byte>(from, to, backwards); break;
        }
    }

    /// <summary>Sets every element to the low bytes of a value.</summary>
    public static void Fill(Span<byte> to, int size, ulong value)
    {
        switch (size)
        {
            case 8: MemoryMarshal.Cast<byte, ulong>(to).Fill(value); break;
            case 4: MemoryMarshal.Cast<byte, uint>(to).Fill((uint)value); break;
            case 2: MemoryMarshal.Cast<byte, ushort>(to).Fill((ushort)value); break;
            default: to.Fill((byte)value); break;
        }
    }

    /// <summary>Compares each element with a value, up to the first that is not equal, or is.</summary>
    /// <returns>How many elements were compared.</returns>
    public static int Scan(ReadOnlySpan<byte> elements, int size, ulong value, bool whileEqual, bool backwards) => size switch
    {
        8 => Scan(MemoryMarshal.Cast<byte, ulong>(elements), value, whileEqual, backwards),
        4 => Scan(MemoryMarshal.Cast<byte, uint>(elements), (uint)value, whileEqual, backwards),
        2 => Scan(MemoryMarshal.Cast<byte, ushort>(elements), (ushort)value, whileEqual, backwards),
        _ => Scan(elements, (byte)value, whileEqual, backwards),
    };

    /// <summary>Compares elements of two spans, up to the first pair that is not equal, or is.</summary>
    /// <returns>How many pairs were compared.</returns>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int size, bool whileEqual, bool backwards) => size switch
    {
        8 => Compare<ulong>(left, right, whileEqual, backwards),
        4 => Compare<uint>(left, right, whileEqual, backwards),
        2 => Compare<ushort>(left, right, whileEqual, backwards),
        _ => Compare<byte>(left, right, whileEqual, backwards),
    };

    private static void MoveEach<T>(ReadOnlySpan<byte> from, Span<byte> to, bool backwards)
        where T : unmanaged
    {
        ReadOnlySpan<T> source = MemoryMarshal.Cast<byte, T>(from);
        Span<T> destination = MemoryMarshal.Cast<byte, T>(to);
        for (int i = 0; i < source.Length; i++)
        {
            int at = backwards ? source.Length - 1 - i : i;
            destination[at] = source[at];
        }
    }

    private static int Scan<T>(ReadOnlySpan<T> elements, T value, bool whileEqual, bool backwards)
        where T : unmanaged, IEquatable<T>
    {
        int end = (whileEqual, backwards) switch
        {
            (true, false) => elements.IndexOfAnyExcept(value),
            (true, true) => elements.LastIndexOfAnyExcept(value),
            (false, false) => elements.IndexOf(value),
            (false, true) => elements.LastIndexOf(value),
        };
        return end < 0 ? elements.Length : backwards ? elements.Length - end : end + 1;
    }

    private static int Compare<T>(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, bool whileEqual, bool backwards)
        where T : unmanaged, IEquatable<T>
    {
        ReadOnlySpan<T> a = MemoryMarshal.Cast<byte, T>(left);
        ReadOnlySpan<T> b = MemoryMarshal.Cast<byte, T>(right);
        int count = whileEqual && !backwards ? a.CommonPrefixLength(b) : 0;
        while (count < a.Length)
        {
            int at = backwards ? a.Length - 1 - count : count;
            count++;
            if (a[at].Equals(b[at]) != whileEqual)
            {
                break;
            }
        }

        return count;
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>
/// A value of the guest ABI: an argument, or a result whose type is not known at compile time. All types of the guest ABI
/// convert to it implicitly, so that a call is written <c>sandbox.Call&lt;int&gt;("Add", 1, 2)</c> and allocates nothing
/// for its arguments. Types are not converted into each other: a guest function with a <see cref="long"/> parameter needs a
/// <see cref="long"/> argument, and a <see cref="long"/> is read with <see cref="AsInt64"/>.
/// </summary>
public readonly partial struct GuestValue
{
    private const int ShownText = 64;

    private readonly ulong _bits;
    private readonly object? _reference;
    private readonly int _start;

    private GuestValue(GuestValueType type, ulong bits, object? reference = null, int start = 0)
    {
        Type = type;
        _bits = bits;
        _reference = reference;
        _start = start;
    }

    /// <summary>
    /// The value's type; <see cref="GuestValueType.Void"/> for the default value, which is the result of a function that has
    /// none, and is not a valid argument.
    /// </summary>
    public GuestValueType Type { get; }

    /// <summary>The value's bits, for the scalar types.</summary>
    internal ulong Bits => _bits;

    /// <summary>The text, for strings.</summary>
    internal string Text => (string)_reference!;

    /// <summary>The bytes, for byte arrays.</summary>
    internal ReadOnlySpan<byte> Bytes => Memory.Span;

    /// <summary>Wraps a 32-bit signed integer.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(int value) => new(GuestValueType.Int, (uint)value);

    /// <summary>Wraps a 32-bit unsigned integer.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(uint value) => new(GuestValueType.UInt, value);

    /// <summary>Wraps a 64-bit signed integer.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(long value) => new(GuestValueType.Long, (ulong)value);

    /// <summary>Wraps a 64-bit unsigned integer.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(ulong value) => new(GuestValueType.ULong, value);

    /// <summary>Wraps a 32-bit float.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(float value) =>
        new(GuestValueType.Float, BitConverter.SingleToUInt32Bits(value));

    /// <summary>Wraps a 64-bit float.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(double value) =>
        new(GuestValueType.Double, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Wraps a truth value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator GuestValue(bool value) => new(GuestValueType.Bool, value ? 1UL : 0);

    /// <summary>Wraps text; it is encoded as UTF-8.</summary>
    /// <param name="value">The text, not <see langword="null"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="value"/> is <see langword="null"/>.</exception>
    public static implicit operator GuestValue(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new GuestValue(GuestValueType.String, 0, value);
    }

    /// <summary>Wraps a byte array, which must not change until the call returns.</summary>
    /// <param name="value">The bytes, not <see langword="null"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="value"/> is <see langword="null"/>.</exception>
    public static implicit operator GuestValue(byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new GuestValue(GuestValueType.Bytes, (ulong)value.Length, value);
    }

    /// <summary>Wraps bytes, which must not change until the call returns.</summary>
    /// <param name="value">The bytes.</param>
    public static implicit operator GuestValue(ReadOnlyMemory<byte> value) =>
        MemoryMarshal.TryGetArray(value, out ArraySegment<byte> segment)
            ? new GuestValue(GuestValueType.Bytes, (ulong)segment.Count, segment.Array ?? [], segment.Offset)
            : new GuestValue(GuestValueType.Bytes, (ulong)value.Length, new ReadOnlyMemoryBox(value));

    /// <summary>Wraps bytes, which must not change until the call returns.</summary>
    /// <param name="value">The bytes.</param>
    public static implicit operator GuestValue(Memory<byte> value) => (ReadOnlyMemory<byte>)value;

    /// <summary>The value for logs and error messages; text is escaped and shortened to 64 characters, bytes are counted.</summary>
    public override string ToString() => Type switch
    {
        GuestValueType.Int => ((int)_bits).ToString(CultureInfo.InvariantCulture),
        GuestValueType.UInt => ((uint)_bits).ToString(CultureInfo.InvariantCulture),
        GuestValueType.Long => ((long)_bits).ToString(CultureInfo.InvariantCulture),
        GuestValueType.ULong => _bits.ToString(CultureInfo.InvariantCulture),
        GuestValueType.Float => BitConverter.UInt32BitsToSingle((uint)_bits).ToString(CultureInfo.InvariantCulture),
        GuestValueType.Double => BitConverter.UInt64BitsToDouble(_bits).ToString(CultureInfo.InvariantCulture),
        GuestValueType.Bool => _bits != 0 ? "true" : "false",
        GuestValueType.String => $"\"{GuestText.Escape(Text, ShownText)}\"",
        GuestValueType.Bytes => $"{_bits} bytes",
        _ => "no value",
    };

    private sealed record ReadOnlyMemoryBox(ReadOnlyMemory<byte> Memory);
}

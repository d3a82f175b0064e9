using System.Diagnostics.CodeAnalysis;
using Hyperlight.Host.Functions;

namespace Hyperlight;

/// <content>Reading a value.</content>
public readonly partial struct GuestValue
{
    /// <summary>Reads a 32-bit signed integer.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public int AsInt32() => (int)Scalar(GuestValueType.Int);

    /// <summary>Reads a 32-bit unsigned integer.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public uint AsUInt32() => (uint)Scalar(GuestValueType.UInt);

    /// <summary>Reads a 64-bit signed integer.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public long AsInt64() => (long)Scalar(GuestValueType.Long);

    /// <summary>Reads a 64-bit unsigned integer.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public ulong AsUInt64() => Scalar(GuestValueType.ULong);

    /// <summary>Reads a 32-bit float.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public float AsSingle() => BitConverter.UInt32BitsToSingle((uint)Scalar(GuestValueType.Float));

    /// <summary>Reads a 64-bit float.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public double AsDouble() => BitConverter.UInt64BitsToDouble(Scalar(GuestValueType.Double));

    /// <summary>Reads a truth value.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public bool AsBoolean() => Scalar(GuestValueType.Bool) != 0;

    /// <summary>Reads text.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public string AsString()
    {
        ThrowIfNot(GuestValueType.String);
        return Text;
    }

    /// <summary>Reads bytes without copying them: those of an argument are the application's memory.</summary>
    /// <exception cref="GuestValueTypeException">The value has another type.</exception>
    public ReadOnlyMemory<byte> AsBytes()
    {
        ThrowIfNot(GuestValueType.Bytes);
        return Memory;
    }

    /// <summary>Reads the value if it has the type.</summary>
    /// <typeparam name="T">
    /// <see cref="int"/>, <see cref="uint"/>, <see cref="long"/>, <see cref="ulong"/>, <see cref="float"/>,
    /// <see cref="double"/>, <see cref="bool"/>, <see cref="string"/>, <see cref="ReadOnlyMemory{T}"/> of <see cref="byte"/>,
    /// or <c>byte[]</c>, which is a copy.
    /// </typeparam>
    /// <param name="value">The value, or the default of the type.</param>
    /// <returns>Whether the value has the type.</returns>
    /// <exception cref="NotSupportedException">The guest ABI has no such type.</exception>
    public bool TryGet<T>([MaybeNullWhen(false)] out T value)
    {
        if (ValueTypes.OfResult<T>() != Type)
        {
            value = default;
            return false;
        }

        value = typeof(T) == typeof(byte[]) ? (T)(object)AsBytes().ToArray() : (T)ToObject()!;
        return true;
    }

    /// <summary>
    /// Deconstructs the value, for patterns such as <c>value is (GuestValueType.Int, int number)</c>. Scalars are boxed.
    /// </summary>
    /// <param name="type">The value's type.</param>
    /// <param name="value">
    /// The value, of the C# type that <see cref="GuestValueType"/> names, bytes as <see cref="ReadOnlyMemory{T}"/>;
    /// <see langword="null"/> for <see cref="GuestValueType.Void"/>.
    /// </param>
    public void Deconstruct(out GuestValueType type, out object? value)
    {
        type = Type;
        value = ToObject();
    }

    private object? ToObject() => Type switch
    {
        GuestValueType.Int => AsInt32(),
        GuestValueType.UInt => AsUInt32(),
        GuestValueType.Long => AsInt64(),
        GuestValueType.ULong => AsUInt64(),
        GuestValueType.Float => AsSingle(),
        GuestValueType.Double => AsDouble(),
        GuestValueType.Bool => AsBoolean(),
        GuestValueType.String => Text,
        GuestValueType.Bytes => AsBytes(),
        _ => null,
    };

    private ReadOnlyMemory<byte> Memory => _reference switch
    {
        byte[] array => array.AsMemory(_start, (int)_bits),
        ReadOnlyMemoryBox box => box.Memory,
        _ => default,
    };

    private ulong Scalar(GuestValueType type)
    {
        ThrowIfNot(type);
        return _bits;
    }

    private void ThrowIfNot(GuestValueType type)
    {
        if (Type != type)
        {
            throw new GuestValueTypeException(type, Type);
        }
    }
}

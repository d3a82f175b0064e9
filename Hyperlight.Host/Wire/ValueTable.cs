using System.Runtime.CompilerServices;

namespace Hyperlight.Host.Wire;

/// <summary>
/// The tables that hold one value each (hlint, hlstring, ...). Reading and writing are generic over the C# type; the type
/// tests are constants for each instantiation, so that what remains is the one branch that applies.
/// </summary>
internal static class ValueTable
{
    private const int ValueSlot = 0;

    // hlsizeprefixedbuffer: the byte count comes first, the bytes are the second field.
    private const int BufferSizeSlot = 0;
    private const int BufferValueSlot = 1;

    /// <summary>Writes the table of an argument.</summary>
    public static long WriteArgument(ref FlatBufferWriter writer, in GuestValue value)
    {
        switch (value.Type)
        {
            case GuestValueType.String:
                return WriteReference(ref writer, writer.CreateString(value.Text));
            case GuestValueType.Bytes:
                return WriteReference(ref writer, writer.CreateBytes(value.Bytes));
            default:
                return WriteScalar(ref writer, value.Type, value.Bits);
        }
    }

    /// <summary>Writes the table of a result.</summary>
    public static long WriteResult<T>(ref FlatBufferWriter writer, T value)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(string))
        {
            return WriteReference(ref writer, writer.CreateString(Reinterpret<T, string>(ref value) ?? string.Empty));
        }

        if (typeof(T) == typeof(byte[]))
        {
            return WriteBuffer(ref writer, Reinterpret<T, byte[]>(ref value));
        }

        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
        {
            return WriteBuffer(ref writer, Reinterpret<T, ReadOnlyMemory<byte>>(ref value).Span);
        }

        if (typeof(T) == typeof(ReadOnlySpan<byte>))
        {
            return WriteBuffer(ref writer, Reinterpret<T, ReadOnlySpan<byte>>(ref value));
        }

        GuestValueType type = Functions.ValueTypes.OfResult<T>();
        return WriteScalar(ref writer, type, type == GuestValueType.Void ? 0 : ScalarBits(ref value));
    }

    /// <summary>Reads the table of an argument whose type was checked to be <typeparamref name="T"/>.</summary>
    public static T ReadArgument<T>(FlatTable table)
        where T : allows ref struct =>
        ReadValue<T>(table, ValueSlot);

    /// <summary>Reads the table of a result whose type was checked to be <typeparamref name="T"/>.</summary>
    public static T ReadResult<T>(FlatTable table)
        where T : allows ref struct =>
        ReadValue<T>(table, BufferValueSlot);

    private static T ReadValue<T>(FlatTable table, int bytesSlot)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(string))
        {
            string text = table.GetString(ValueSlot);
            return Reinterpret<string, T>(ref text);
        }

        if (typeof(T) == typeof(byte[]))
        {
            byte[] array = ReadBytes(table, bytesSlot).ToArray();
            return Reinterpret<byte[], T>(ref array);
        }

        if (typeof(T) == typeof(ReadOnlyMemory<byte>))
        {
            ReadOnlyMemory<byte> memory = ReadBytes(table, bytesSlot).ToArray();
            return Reinterpret<ReadOnlyMemory<byte>, T>(ref memory);
        }

        if (typeof(T) == typeof(ReadOnlySpan<byte>))
        {
            ReadOnlySpan<byte> span = ReadBytes(table, bytesSlot);
            return Reinterpret<ReadOnlySpan<byte>, T>(ref span);
        }

        if (typeof(T) == typeof(bool))
        {
            bool truth = table.GetByte(ValueSlot) != 0;
            return Reinterpret<bool, T>(ref truth);
        }

        if (typeof(T) == typeof(long) || typeof(T) == typeof(ulong) || typeof(T) == typeof(double))
        {
            ulong wide = table.GetUInt64(ValueSlot);
            return Reinterpret<ulong, T>(ref wide);
        }

        if (typeof(T) == typeof(Functions.Unit))
        {
            return default!;
        }

        uint bits = table.GetUInt32(ValueSlot);
        return Reinterpret<uint, T>(ref bits);
    }

    private static ReadOnlySpan<byte> ReadBytes(FlatTable table, int slot) =>
        table.TryGetBytes(slot, out ReadOnlySpan<byte> bytes) ? bytes : default;

    private static ulong ScalarBits<T>(scoped ref T value)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(bool))
        {
            return Reinterpret<T, bool>(ref value) ? 1UL : 0;
        }

        return typeof(T) == typeof(long) || typeof(T) == typeof(ulong) || typeof(T) == typeof(double)
            ? Reinterpret<T, ulong>(ref value)
            : Reinterpret<T, uint>(ref value);
    }

    private static long WriteScalar(ref FlatBufferWriter writer, GuestValueType type, ulong bits)
    {
        writer.StartTable();
        switch (type)
        {
            case GuestValueType.Void:
                break;
            case GuestValueType.Bool:
                writer.AddByte(ValueSlot, (byte)bits);
                break;
            case GuestValueType.Long or GuestValueType.ULong or GuestValueType.Double:
                writer.AddUInt64(ValueSlot, bits);
                break;
            default:
                writer.AddUInt32(ValueSlot, (uint)bits);
                break;
        }

        return writer.EndTable();
    }

    private static long WriteReference(ref FlatBufferWriter writer, long position)
    {
        writer.StartTable();
        writer.AddOffset(ValueSlot, position);
        return writer.EndTable();
    }

    private static long WriteBuffer(ref FlatBufferWriter writer, ReadOnlySpan<byte> bytes)
    {
        long position = writer.CreateBytes(bytes);
        writer.StartTable();
        writer.AddOffset(BufferValueSlot, position);
        writer.AddUInt32(BufferSizeSlot, (uint)bytes.Length);
        return writer.EndTable();
    }

    /// <summary>
    /// Reads a value as the type it is known to be. Not a conversion: every caller has compared the two types, or their
    /// sizes, and generic code has no other way to say so without boxing.
    /// </summary>
    private static TTo Reinterpret<TFrom, TTo>(scoped ref TFrom value)
        where TFrom : allows ref struct
        where TTo : allows ref struct =>
        Unsafe.As<TFrom, TTo>(ref Unsafe.AsRef(in value));
}

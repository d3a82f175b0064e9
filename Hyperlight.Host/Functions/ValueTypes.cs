namespace Hyperlight.Host.Functions;

/// <summary>Which type of the guest ABI a C# type is. The comparisons are resolved at compile time for each type.</summary>
internal static class ValueTypes
{
    /// <summary>The type of a host function's parameter; <see langword="null"/> for a <see cref="CancellationToken"/>, which the guest does not pass.</summary>
    /// <exception cref="NotSupportedException">The guest ABI has no such type.</exception>
    public static GuestValueType? OfParameter<T>()
        where T : allows ref struct
    {
        if (typeof(T) == typeof(CancellationToken))
        {
            return null;
        }

        return TryGet<T>(out GuestValueType type) && type != GuestValueType.Void ? type : throw Unsupported<T>();
    }

    /// <summary>The type of a result.</summary>
    /// <exception cref="NotSupportedException">The guest ABI has no such type.</exception>
    public static GuestValueType OfResult<T>()
        where T : allows ref struct =>
        TryGet<T>(out GuestValueType type) ? type : throw Unsupported<T>();

    private static bool TryGet<T>(out GuestValueType type)
        where T : allows ref struct
    {
        GuestValueType? found =
            typeof(T) == typeof(int) ? GuestValueType.Int
            : typeof(T) == typeof(uint) ? GuestValueType.UInt
            : typeof(T) == typeof(long) ? GuestValueType.Long
            : typeof(T) == typeof(ulong) ? GuestValueType.ULong
            : typeof(T) == typeof(float) ? GuestValueType.Float
            : typeof(T) == typeof(double) ? GuestValueType.Double
            : typeof(T) == typeof(bool) ? GuestValueType.Bool
            : typeof(T) == typeof(string) ? GuestValueType.String
            : typeof(T) == typeof(byte[]) ? GuestValueType.Bytes
            : typeof(T) == typeof(ReadOnlyMemory<byte>) ? GuestValueType.Bytes
            : typeof(T) == typeof(ReadOnlySpan<byte>) ? GuestValueType.Bytes
            : typeof(T) == typeof(Unit) ? GuestValueType.Void
            : null;
        type = found.GetValueOrDefault();
        return found is not null;
    }

    private static NotSupportedException Unsupported<T>()
        where T : allows ref struct =>
        new($"The guest ABI has no type for {typeof(T)}. It has int, uint, long, ulong, float, double, bool, string and "
            + "bytes (byte[], ReadOnlyMemory<byte>, ReadOnlySpan<byte>).");
}

using System.Runtime.CompilerServices;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>
/// What a call of a guest function returns to its caller, by the C# type of the result. The comparisons are resolved at
/// compile time for each type.
/// </summary>
internal static class CallResult
{
    /// <summary>The type that the guest has to return; <see langword="null"/> if any will do.</summary>
    /// <exception cref="NotSupportedException">The guest ABI has no such type.</exception>
    public static GuestValueType? ExpectedType<TResult>()
    {
        if (typeof(TResult) == typeof(GuestValue) || typeof(TResult) == typeof(Unit))
        {
            return null;
        }

        return typeof(TResult) == typeof(BytesWritten) ? GuestValueType.Bytes : ValueTypes.OfResult<TResult>();
    }

    /// <summary>Reads a result, whose type the caller has compared with <see cref="ExpectedType"/>.</summary>
    /// <param name="result">What the guest returned.</param>
    /// <param name="functionName">The guest function, for errors.</param>
    /// <param name="destination">Where the bytes go if the result is <see cref="BytesWritten"/>.</param>
    /// <exception cref="DestinationTooSmallException">The bytes do not fit the destination.</exception>
    /// <exception cref="GuestProtocolException">The result is malformed.</exception>
    public static TResult Read<TResult>(FunctionResultReader result, string functionName, Span<byte> destination)
    {
        if (typeof(TResult) == typeof(GuestValue))
        {
            GuestValue value = ReadAny(result);
            return Unsafe.As<GuestValue, TResult>(ref value);
        }

        if (typeof(TResult) == typeof(BytesWritten))
        {
            var written = new BytesWritten(Copy(result.GetBytes(), functionName, destination));
            return Unsafe.As<BytesWritten, TResult>(ref written);
        }

        return result.GetValue<TResult>();
    }

    private static GuestValue ReadAny(FunctionResultReader result) => result.ValueType switch
    {
        GuestValueType.Int => result.GetValue<int>(),
        GuestValueType.UInt => result.GetValue<uint>(),
        GuestValueType.Long => result.GetValue<long>(),
        GuestValueType.ULong => result.GetValue<ulong>(),
        GuestValueType.Float => result.GetValue<float>(),
        GuestValueType.Double => result.GetValue<double>(),
        GuestValueType.Bool => result.GetValue<bool>(),
        GuestValueType.String => result.GetValue<string>(),
        GuestValueType.Bytes => result.GetValue<byte[]>(),
        _ => default,
    };

    private static int Copy(ReadOnlySpan<byte> bytes, string functionName, Span<byte> destination) =>
        bytes.TryCopyTo(destination)
            ? bytes.Length
            : throw new DestinationTooSmallException(functionName, bytes.Length, destination.Length);
}

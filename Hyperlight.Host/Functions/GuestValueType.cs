namespace Hyperlight;

/// <summary>The types of the guest ABI.</summary>
public enum GuestValueType
{
    /// <summary>No value: the result of a function without a result. Not valid as an argument.</summary>
    Void,

    /// <summary>A 32-bit signed integer, <see cref="int"/>.</summary>
    Int,

    /// <summary>A 32-bit unsigned integer, <see cref="uint"/>.</summary>
    UInt,

    /// <summary>A 64-bit signed integer, <see cref="long"/>.</summary>
    Long,

    /// <summary>A 64-bit unsigned integer, <see cref="ulong"/>.</summary>
    ULong,

    /// <summary>A 32-bit float, <see cref="float"/>; every bit pattern is preserved.</summary>
    Float,

    /// <summary>A 64-bit float, <see cref="double"/>; every bit pattern is preserved.</summary>
    Double,

    /// <summary>A truth value, <see cref="bool"/>.</summary>
    Bool,

    /// <summary>UTF-8 text, <see cref="string"/>.</summary>
    String,

    /// <summary>Bytes: an array, <see cref="ReadOnlyMemory{T}"/> or <see cref="ReadOnlySpan{T}"/> of <see cref="byte"/>.</summary>
    Bytes,
}

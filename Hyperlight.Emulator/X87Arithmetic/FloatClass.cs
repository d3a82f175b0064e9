namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>What a value is.</summary>
internal enum FloatClass : byte
{
    /// <summary>An exponent that wants the integer bit, without it. No arithmetic takes it.</summary>
    Unsupported,
    Zero,

    /// <summary>The exponent field is zero; with the integer bit set, the value is a pseudo-denormal.</summary>
    Denormal,
    Normal,
    Infinity,
    QuietNaN,
    SignalingNaN,
}

/// <summary>How two values compare.</summary>
internal enum FloatOrder : byte
{
    Less,
    Equal,
    Greater,
    Unordered,
}

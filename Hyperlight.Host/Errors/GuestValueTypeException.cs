namespace Hyperlight;

/// <summary>A <see cref="GuestValue"/> was read as another type than it has.</summary>
public sealed class GuestValueTypeException : InvalidCastException
{
    /// <summary>Creates the error.</summary>
    /// <param name="expected">The expected type.</param>
    /// <param name="actual">The type of the value.</param>
    public GuestValueTypeException(GuestValueType expected, GuestValueType actual)
        : base($"The value has the type {actual}, but {expected} was asked for. {nameof(GuestValue)}.{nameof(GuestValue.Type)} says the type.")
    {
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The expected type.</summary>
    public GuestValueType Expected { get; }

    /// <summary>The type of the value.</summary>
    public GuestValueType Actual { get; }
}

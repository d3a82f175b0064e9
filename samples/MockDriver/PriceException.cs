namespace Hyperlight.Samples.MockDriver;

/// <summary>There is no price.</summary>
/// <param name="isTemporary">Whether another attempt can succeed.</param>
/// <param name="message">The reason.</param>
internal sealed class PriceException(bool isTemporary, string message) : Exception(message)
{
    /// <summary>Whether another attempt can succeed.</summary>
    public bool IsTemporary { get; } = isTemporary;
}

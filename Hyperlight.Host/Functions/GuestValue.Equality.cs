namespace Hyperlight;

/// <content>Comparing two values.</content>
public readonly partial struct GuestValue : IEquatable<GuestValue>
{
    /// <summary>Whether two values have the same type and the same content. Floats are compared by their bits, bytes one by one.</summary>
    /// <param name="left">One value.</param>
    /// <param name="right">The other.</param>
    public static bool operator ==(GuestValue left, GuestValue right) => left.Equals(right);

    /// <summary>Whether two values differ in type or content.</summary>
    /// <param name="left">One value.</param>
    /// <param name="right">The other.</param>
    public static bool operator !=(GuestValue left, GuestValue right) => !left.Equals(right);

    /// <summary>Whether another value has the same type and the same content. Floats are compared by their bits, bytes one by one.</summary>
    /// <param name="other">The other value.</param>
    public bool Equals(GuestValue other) => Type == other.Type && Type switch
    {
        GuestValueType.String => Text == other.Text,
        GuestValueType.Bytes => Bytes.SequenceEqual(other.Bytes),
        _ => _bits == other._bits,
    };

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GuestValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Type);
        switch (Type)
        {
            case GuestValueType.String:
                hash.Add(Text, StringComparer.Ordinal);
                break;
            case GuestValueType.Bytes:
                hash.AddBytes(Bytes);
                break;
            default:
                hash.Add(_bits);
                break;
        }

        return hash.ToHashCode();
    }
}

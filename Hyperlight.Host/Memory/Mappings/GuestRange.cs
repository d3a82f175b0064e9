namespace Hyperlight.Host.Memory.Mappings;

/// <summary>A range of guest physical space and what it is, for checks of overlap. The caller has checked that it does not wrap.</summary>
/// <param name="Start">Guest physical address of the first byte.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Description">What lies there, such as <c>scratch memory</c>.</param>
internal readonly record struct GuestRange(ulong Start, ulong Size, string Description)
{
    /// <summary>One past the last byte.</summary>
    public ulong End => Start + Size;

    public static GuestRange OfMapping(string label, ulong start, ulong size) => new(start, size, $"the mapping '{label}'");

    public bool Overlaps(in GuestRange other) => Start < other.End && other.Start < End;

    /// <summary>Refuses the range if it overlaps another.</summary>
    /// <exception cref="MappingOverlapException">It does.</exception>
    public void CheckAgainst(in GuestRange other)
    {
        if (Overlaps(other))
        {
            throw new MappingOverlapException(Description, Start, Size, other.Description, other.Start, other.Size);
        }
    }
}

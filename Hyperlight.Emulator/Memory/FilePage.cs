namespace Hyperlight.Emulator.Memory;

/// <summary>A page of file content that machines share, and that none can change.</summary>
/// <param name="slab">Where its memory is from.</param>
/// <param name="address">The page in the host.</param>
internal sealed class FilePage(PageSlab slab, nint address)
{
    public PageSlab Slab => slab;

    public nint Address => address;

    public HostPage Page => new(address);

    /// <summary>How many slots use the page.</summary>
    public int References { get; set; }
}

/// <summary>Finds pages by their content.</summary>
internal sealed class FilePageComparer : IEqualityComparer<FilePage>, IAlternateEqualityComparer<ReadOnlySpan<byte>, FilePage>
{
    public bool Equals(FilePage? x, FilePage? y) => ReferenceEquals(x, y);

    public int GetHashCode(FilePage page) => GetHashCode(page.Page.From(0));

    public bool Equals(ReadOnlySpan<byte> content, FilePage page) => content.SequenceEqual(page.Page.From(0));

    /// <summary>Seeded at random for each process, so that no file can be made whose pages all collide.</summary>
    public int GetHashCode(ReadOnlySpan<byte> content)
    {
        var hash = default(HashCode);
        hash.AddBytes(content);
        return hash.ToHashCode();
    }

    public FilePage Create(ReadOnlySpan<byte> content) => throw new NotSupportedException("A page needs memory.");
}

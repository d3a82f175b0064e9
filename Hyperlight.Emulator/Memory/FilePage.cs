namespace Hyperlight.Emulator.Memory;

/// <summary>A page of a file that machines share, and that none can change.</summary>
/// <param name="file">What the file is known by: <see cref="FilePages.Identity"/>.</param>
/// <param name="slab">Where its memory is from.</param>
/// <param name="address">The page in the host.</param>
internal sealed class FilePage(object file, PageSlab slab, nint address)
{
    public object File => file;

    public PageSlab Slab => slab;

    public nint Address => address;

    public HostPage Page => new(address);

    /// <summary>How many slots use the page.</summary>
    public int References { get; set; }
}

/// <summary>What a page is found by.</summary>
/// <param name="file">What the file is known by: <see cref="FilePages.Identity"/>.</param>
/// <param name="content">What the page holds.</param>
internal readonly ref struct FilePageKey(object file, ReadOnlySpan<byte> content)
{
    public object File { get; } = file;

    public ReadOnlySpan<byte> Content { get; } = content;
}

/// <summary>Finds pages by their file and content.</summary>
internal sealed class FilePageComparer : IEqualityComparer<FilePage>, IAlternateEqualityComparer<FilePageKey, FilePage>
{
    public bool Equals(FilePage? x, FilePage? y) => ReferenceEquals(x, y);

    public int GetHashCode(FilePage page) => GetHashCode(new FilePageKey(page.File, page.Page.From(0)));

    public bool Equals(FilePageKey key, FilePage page) => key.File.Equals(page.File) && key.Content.SequenceEqual(page.Page.From(0));

    /// <summary>Seeded at random for each process, so that no file can be made whose pages all collide.</summary>
    public int GetHashCode(FilePageKey key)
    {
        var hash = default(HashCode);
        hash.Add(key.File);
        hash.AddBytes(key.Content);
        return hash.ToHashCode();
    }

    public FilePage Create(FilePageKey key) => throw new NotSupportedException("A page needs memory.");
}

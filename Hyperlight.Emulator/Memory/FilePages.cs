using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// The pages of a file that the guest has used, each read once and kept until the slot is emptied. The file is read through
/// its region, which reports a file that was shortened where touching a view of it would end the process.
/// </summary>
internal sealed class FilePages(IMemoryRegion region, nuint regionOffset, FilePageStore store)
{
    private readonly Dictionary<ulong, FilePage> _pages = [];
    private readonly HashSet<ulong> _identities = [];

    /// <summary>By what the file is known: its path, or the region itself where another driver opened the file.</summary>
    public object Identity { get; } = region is FileRegion file ? file.Path : region;

    /// <summary>Finds a page, reading it if the guest uses it for the first time.</summary>
    /// <param name="offset">Offset of the page in the mapping.</param>
    /// <param name="page">The page.</param>
    /// <returns>Whether the page could be read.</returns>
    public bool TryGet(ulong offset, out HostPage page)
    {
        if (!_pages.TryGetValue(offset, out FilePage? filePage) && !TryRead(offset, out filePage))
        {
            page = default;
            return false;
        }

        page = filePage!.Page;
        return true;
    }

    /// <summary>Whether a page is one of these.</summary>
    public bool Contains(HostPage page) => _identities.Contains(page.Identity);

    /// <summary>Gives all pages back.</summary>
    public void Release()
    {
        foreach (FilePage page in _pages.Values)
        {
            store.Release(page);
        }

        _pages.Clear();
        _identities.Clear();
    }

    private bool TryRead(ulong offset, out FilePage? page)
    {
        try
        {
            Span<byte> content = stackalloc byte[HostPage.Size];
            region.Read(regionOffset + (nuint)offset, content);

            // Before the page, so that nothing can fail once there is one.
            _pages.EnsureCapacity(_pages.Count + 1);
            _identities.EnsureCapacity(_identities.Count + 1);
            page = store.Get(Identity, content);
            _pages.Add(offset, page);
            _identities.Add(page.Page.Identity);
            return true;
        }
        catch (Exception exception) when (exception is FileMappingException or ObjectDisposedException or OutOfMemoryException)
        {
            page = null;
            return false;
        }
    }
}

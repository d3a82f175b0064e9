namespace Hyperlight.Emulator.Memory;

/// <summary>
/// The pages of files that all machines of a driver use. A page of a file is there once: a file that many sandboxes map costs
/// what they use of it together. Pages are compared by content too, so that a file that was changed meanwhile is never taken
/// for what it was. Equal pages of different files are not shared: the time of a first access would otherwise tell a guest
/// what is in files that it cannot read. Safe for all threads.
/// </summary>
internal sealed class FilePageStore
{
    private readonly Lock _lock = new();
    private readonly HashSet<FilePage> _pages = new(new FilePageComparer());
    private readonly List<PageSlab> _slabsWithRoom = [];
    private int _slabs;

    /// <summary>How many pages there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _pages.Count;
            }
        }
    }

    /// <summary>How much memory they are in, in units of 64 pages.</summary>
    public int Slabs
    {
        get
        {
            lock (_lock)
            {
                return _slabs;
            }
        }
    }

    /// <summary>A page of a file with some content, with a reference for the caller.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory for another page.</exception>
    public FilePage Get(object file, ReadOnlySpan<byte> content)
    {
        lock (_lock)
        {
            if (!_pages.GetAlternateLookup<FilePageKey>().TryGetValue(new FilePageKey(file, content), out FilePage? page))
            {
                page = NewPage(file);
                content.CopyTo(page.Page.From(0));
                _pages.Add(page);
            }

            page.References++;
            return page;
        }
    }

    /// <summary>Gives a reference back. The last one frees the page.</summary>
    public void Release(FilePage page)
    {
        lock (_lock)
        {
            if (--page.References == 0)
            {
                _pages.Remove(page);
                Free(page);
            }
        }
    }

    private FilePage NewPage(object file)
    {
        if (_slabsWithRoom.Count == 0)
        {
            _slabsWithRoom.Add(new PageSlab());
            _slabs++;
        }

        PageSlab slab = _slabsWithRoom[^1];
        nint address = slab.Take();
        if (slab.IsFull)
        {
            _slabsWithRoom.Remove(slab);
        }

        return new FilePage(file, slab, address);
    }

    private void Free(FilePage page)
    {
        PageSlab slab = page.Slab;
        if (slab.IsFull)
        {
            _slabsWithRoom.Add(slab);
        }

        slab.Return(page.Address);
        if (slab.IsEmpty)
        {
            _slabsWithRoom.Remove(slab);
            slab.Free();
            _slabs--;
        }
    }
}

using System.Buffers;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>
/// What a guest starts from: pages that the virtual machine maps read-only, and the page tables that are copied into scratch
/// memory. Never changes, so any number of sandboxes and snapshots share one; the memory is released with the last of them.
/// </summary>
internal sealed class GuestImage
{
    /// <summary>
    /// Of a fresh guest from the pool, as such images come and go with their sandboxes. A snapshot is kept for long, and an array of the
    /// pool can be twice as large as the tables.
    /// </summary>
    private byte[] _pageTables;
    private int _pageTableSize;
    private int _references = 1;

    /// <summary>Takes ownership of the pages, for the caller.</summary>
    /// <param name="layout">The layout that the tables were built for.</param>
    /// <param name="pages">The pages, complete.</param>
    /// <param name="pageTables">The tables, based at the layout's <see cref="GuestMemoryLayout.PageTableAddress"/>.</param>
    /// <param name="entryPoint">Guest virtual address at which a fresh guest is entered.</param>
    /// <param name="generation">How many snapshots led to this image; 0 for a fresh guest.</param>
    public GuestImage(GuestMemoryLayout layout, IMemoryRegion pages, ReadOnlySpan<byte> pageTables, ulong entryPoint, ulong generation)
    {
        Layout = layout;
        Pages = pages;
        EntryPoint = entryPoint;
        Generation = generation;
        _pageTableSize = pageTables.Length;
        _pageTables = IsFresh ? ArrayPool<byte>.Shared.Rent(_pageTableSize) : new byte[_pageTableSize];
        pageTables.CopyTo(_pageTables);
    }

    public GuestMemoryLayout Layout { get; }

    /// <summary>Identifies the image, without keeping its memory.</summary>
    public object Identity { get; } = new();

    public IMemoryRegion Pages { get; }

    public ReadOnlySpan<byte> PageTables => _pageTables.AsSpan(0, _pageTableSize);

    /// <summary>Guest virtual address at which a fresh guest is entered.</summary>
    public ulong EntryPoint { get; }

    /// <summary>How many snapshots led to this image.</summary>
    public ulong Generation { get; }

    /// <summary>Whether it is of a guest that has not run, its parts where the layout says.</summary>
    public bool IsFresh => Generation == 0;

    /// <summary>What the virtual machine sees: readable and executable, never writable.</summary>
    public GuestMapping Mapping => GuestMapping.Whole(GuestAddresses.ImageBase, Pages, MemoryFlags.Read | MemoryFlags.Execute);

    /// <summary>Whether anyone holds a reference.</summary>
    public bool IsUsed => Volatile.Read(ref _references) > 0;

    /// <summary>Takes a further reference, unless the last one is gone.</summary>
    public bool TryAddReference()
    {
        int references = Volatile.Read(ref _references);
        while (references > 0)
        {
            int seen = Interlocked.CompareExchange(ref _references, references + 1, references);
            if (seen == references)
            {
                return true;
            }

            references = seen;
        }

        return false;
    }

    /// <summary>Gives a reference back. The last one releases the memory, once no virtual machine maps it.</summary>
    /// <exception cref="HypervisorException">The operating system refused to release the memory.</exception>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            ReleasePageTables();
            Pages.Dispose();
        }
    }
    private void ReleasePageTables()
    {
        byte[] pageTables = _pageTables;
        (_pageTables, _pageTableSize) = ([], 0);
        if (IsFresh)
        {
            ArrayPool<byte>.Shared.Return(pageTables);
        }
    }
}

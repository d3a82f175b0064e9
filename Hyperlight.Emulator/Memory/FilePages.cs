using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// The pages of a file that a guest has used, each read once and kept outside the managed heap until the slot is emptied. The
/// file is read through its region, which reports a file that was shortened where touching a view of it would end the process.
/// </summary>
internal sealed unsafe class FilePages(IMemoryRegion region, nuint regionOffset) : IDisposable
{
    private readonly Dictionary<ulong, nint> _pages = [];

    /// <summary>How many pages are in memory.</summary>
    public int Count => _pages.Count;

    /// <summary>Finds a page, reading it if the guest uses it for the first time.</summary>
    /// <param name="offset">Offset of the page in the mapping.</param>
    /// <param name="page">The page.</param>
    /// <returns>Whether the page could be read.</returns>
    public bool TryGet(ulong offset, out HostPage page)
    {
        if (!_pages.TryGetValue(offset, out nint address) && !TryRead(offset, out address))
        {
            page = default;
            return false;
        }

        page = new HostPage(address);
        return true;
    }

    public void Dispose()
    {
        foreach (nint page in _pages.Values)
        {
            NativeMemory.AlignedFree((void*)page);
        }

        _pages.Clear();
    }

    private bool TryRead(ulong offset, out nint address)
    {
        void* page = null;
        try
        {
            page = NativeMemory.AlignedAlloc(HostPage.Size, HostPage.Size);
            region.Read(regionOffset + (nuint)offset, new Span<byte>(page, HostPage.Size));
            _pages.Add(offset, (nint)page);
            address = (nint)page;
            return true;
        }
        catch (Exception exception) when (exception is FileMappingException or ObjectDisposedException or OutOfMemoryException)
        {
            NativeMemory.AlignedFree(page);
            address = 0;
            return false;
        }
    }
}

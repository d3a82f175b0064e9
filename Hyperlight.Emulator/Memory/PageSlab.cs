using System.Numerics;
using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// Memory for 64 pages. Allocated one by one, each aligned page would cost a second one: the allocator's header before it
/// fills the rest of the page before.
/// </summary>
internal sealed unsafe class PageSlab
{
    private const int PageCount = 64;

    private readonly void* _pages = NativeMemory.AlignedAlloc(PageCount * HostPage.Size, HostPage.Size);

    /// <summary>A bit for each page that is not in use.</summary>
    private ulong _free = ulong.MaxValue;

    public bool IsFull => _free == 0;

    public bool IsEmpty => _free == ulong.MaxValue;

    /// <summary>Takes a page of a slab that is not full. What it holds is undefined.</summary>
    public nint Take()
    {
        int index = BitOperations.TrailingZeroCount(_free);
        _free &= _free - 1;
        return (nint)_pages + ((nint)index * HostPage.Size);
    }

    /// <summary>Takes a page back.</summary>
    public void Return(nint page) => _free |= 1UL << (int)((page - (nint)_pages) / HostPage.Size);

    /// <summary>Frees an empty slab.</summary>
    public void Free() => NativeMemory.AlignedFree(_pages);
}

using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// What a slot holds of the host: a reference on its region's memory and, if that is a file, the pages that the guest has
/// used. Its value is the address of the first byte, or 0 for a file. It is a handle so that both are given back when a
/// machine is collected that was never disposed.
/// </summary>
internal sealed class SlotMemory : SafeHandle
{
    private readonly SafeHandle _region;
    private readonly bool _isHeld;

    /// <exception cref="ObjectDisposedException">The region was disposed.</exception>
    public SlotMemory(in GuestMapping mapping, FilePageStore files)
        : base(0, ownsHandle: true)
    {
        _region = mapping.Region.Handle;
        _region.DangerousAddRef(ref _isHeld);
        if (mapping.Region.Kind == MemoryRegionKind.File)
        {
            IsFixed = true;
            FilePages = new FilePages(mapping.Region, mapping.RegionOffset, files);
        }
        else
        {
            IsFixed = mapping.Region is NativeRegion { IsReadOnly: true };
            SetHandle(_region.DangerousGetHandle() + (nint)mapping.RegionOffset);
        }
    }

    public override bool IsInvalid => !_isHeld;

    /// <summary>The file's pages, if the region is a file.</summary>
    public FilePages? FilePages { get; }

    /// <summary>Whether the region is a file, or was read-only when the slot was filled: a page keeps what the guest has seen in it.</summary>
    public bool IsFixed { get; }

    /// <summary>Address of the first byte of a region that is no file.</summary>
    public nint Address => handle;

    /// <summary>Whether it is the memory behind a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="size">The size of the slot.</param>
    public bool Contains(HostPage page, ulong size) => FilePages?.Contains(page) ?? (page.Identity - (ulong)Address < size);

    protected override bool ReleaseHandle()
    {
        FilePages?.Release();
        _region.DangerousRelease();
        return true;
    }
}

using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// Guest physical memory. The platform has no slots: a mapping is known by its address. Its memory is that of the surrogate,
/// in which each region is mapped once, or of this process where there are no surrogates. The last page of a file may be
/// other memory than the pages before it: its slot then has two ranges.
/// </summary>
internal sealed unsafe partial class WhpPartition : ISectionUser
{
    private readonly List<MappedRange> _ranges = [];

    /// <summary>The views in the surrogate, by the views of the same sections in this process.</summary>
    private readonly Dictionary<SafeHandle, SurrogateViewHandle> _views = [];

    /// <summary>Maps memory, and keeps it alive.</summary>
    /// <exception cref="InvalidOperationException">The slot is in use.</exception>
    /// <exception cref="HypervisorException">Windows or the platform refused; the slot is still free.</exception>
    public void Map(uint slot, in GuestMapping mapping)
    {
        _ = Value;
        if (_ranges.Exists(r => r.Slot == slot))
        {
            throw new InvalidOperationException($"Memory slot {slot} is in use.");
        }

        SafeHandle host = mapping.Region.Handle;
        ISectionRegion? region = mapping.Region as ISectionRegion ?? SectionViews.Find(host.DangerousGetHandle());
        nuint offset = mapping.RegionOffset;
        SectionMemoryRegion? copy = null;
        if (_surrogate is not null && region is null)
        {
            region = copy = Copy(in mapping);
            offset = 0;
        }

        try
        {
            SectionMemoryRegion? lastPage = LastPage(region, offset + mapping.Size);
            nuint size = lastPage is null ? mapping.Size : mapping.Size - GuestPage.Size;
            if (size > 0)
            {
                MappedRange range = new(slot, mapping.GuestAddress, size, Flags(mapping.Flags), region, offset);
                Add(range, copy?.Handle ?? host, region?.Handle, region?.Section);
                if (copy is not null)
                {
                    // The application keeps its memory until it is unmapped, as it does where there is no copy.
                    _handle.Hold(host);
                    range.Source = host;
                }
            }

            if (lastPage is not null)
            {
                AddLastPage(new(slot, mapping.GuestAddress + size, GuestPage.Size, Flags(mapping.Flags), lastPage, 0), lastPage);
            }
        }
        finally
        {
            // What is mapped holds the memory of the copy.
            copy?.Dispose();
        }
    }

    /// <summary>Removes a mapping, and releases its memory.</summary>
    /// <exception cref="InvalidOperationException">The slot is free.</exception>
    /// <exception cref="HypervisorException">The platform refused; the mapping is still there.</exception>
    public void Unmap(uint slot)
    {
        _ = Value;
        List<MappedRange> ranges = _ranges.FindAll(r => r.Slot == slot);
        if (ranges.Count == 0)
        {
            throw new InvalidOperationException($"Memory slot {slot} is free.");
        }

        ranges.ForEach(Remove);
    }

    /// <inheritdoc/>
    public void Replace(SectionMemoryRegion region, SectionMemory fresh)
    {
        foreach (MappedRange range in _ranges)
        {
            if (range.Region == region)
            {
                Unmap(range);
                try
                {
                    Map(range, fresh.View, fresh.View, fresh.Section);
                }
                catch
                {
                    Map(range, region.Memory.View, region.Memory.View, region.Memory.Section);
                    throw;
                }
            }
        }
    }

    /// <summary>Reads guest physical memory.</summary>
    /// <returns>Whether memory that the guest may read is mapped there.</returns>
    /// <exception cref="FileMappingException">It is memory of a file that cannot be read.</exception>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        foreach (MappedRange range in _ranges)
        {
            if (address >= range.GuestAddress && address - range.GuestAddress <= range.Size - (nuint)destination.Length
                && range.Host is not null)
            {
                nuint offset = range.Offset + (nuint)(address - range.GuestAddress);
                if (range.Region is FileSectionRegion file)
                {
                    file.Read(offset, destination);
                }
                else
                {
                    // SAFETY: the range lies in the region, whose memory the partition holds.
                    new ReadOnlySpan<byte>((byte*)range.Host.DangerousGetHandle() + offset, destination.Length).CopyTo(destination);
                }

                return true;
            }
        }

        return false;
    }

    private static uint Flags(MemoryFlags flags) =>
        WhvMapGpaRangeFlags.WHvMapGpaRangeFlagRead
        | ((flags & MemoryFlags.Write) != 0 ? WhvMapGpaRangeFlags.WHvMapGpaRangeFlagWrite : 0)
        | ((flags & MemoryFlags.Execute) != 0 ? WhvMapGpaRangeFlags.WHvMapGpaRangeFlagExecute : 0);

    /// <summary>The page that a guest sees instead of the last one of a file, if the range ends with it.</summary>
    private static SectionMemoryRegion? LastPage(ISectionRegion? region, nuint end) =>
        region is FileSectionRegion file && end == file.Size ? file.LastPage : null;

    private void Add(MappedRange range, SafeHandle host, SafeHandle? view, SectionHandle? section)
    {
        Map(range, host, view, section);
        _ranges.Add(range);
        (range.Region as SectionMemoryRegion)?.Add(this);
    }

    /// <summary>Maps the last page of a file; if that fails, the pages before it are unmapped.</summary>
    private void AddLastPage(MappedRange range, SectionMemoryRegion page)
    {
        try
        {
            Add(range, page.Handle, page.Handle, page.Section);
        }
        catch
        {
            _ranges.FindAll(r => r.Slot == range.Slot).ForEach(Remove);
            throw;
        }
    }

    private void Remove(MappedRange range)
    {
        Unmap(range);
        if (range.Source is not null)
        {
            _handle.StopHolding(range.Source);
        }

        _ranges.Remove(range);
        (range.Region as SectionMemoryRegion)?.Remove(this);
    }

    /// <summary>Memory of the application is no section, which a surrogate could map: the guest gets a copy of it.</summary>
    private SectionMemoryRegion Copy(in GuestMapping mapping)
    {
        if (mapping.Region.Kind != MemoryRegionKind.Host || (mapping.Flags & MemoryFlags.Write) != 0)
        {
            throw new ArgumentException("The region is not a section: it belongs to another driver.", nameof(mapping));
        }

        SectionMemoryRegion copy = SectionMemoryRegion.Allocate(_system.Kernel, mapping.Size);
        try
        {
            // SAFETY: the mapping lies in its region, whose memory the caller holds by the handle.
            NativeMemory.Copy(
                (byte*)mapping.Region.Handle.DangerousGetHandle() + mapping.RegionOffset,
                (void*)copy.Handle.DangerousGetHandle(),
                mapping.Size);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>Maps a range.</summary>
    /// <param name="range">The range.</param>
    /// <param name="host">What keeps the memory alive; its value is the memory's address in this process.</param>
    /// <param name="view">The view of the section in this process, if it is a section.</param>
    /// <param name="section">The section.</param>
    private void Map(MappedRange range, SafeHandle host, SafeHandle? view, SectionHandle? section)
    {
        _handle.Hold(host);
        SurrogateViewHandle? mapped = null;
        try
        {
            if (_surrogate is null)
            {
                WhpError.Check(
                    WinHv.MapGpaRange(
                        Value, (byte*)host.DangerousGetHandle() + range.Offset, range.GuestAddress, range.Size, range.Flags),
                    nameof(WinHvPlatform.WHvMapGpaRange));
            }
            else
            {
                ISectionRegion region = range.Region!;
                mapped = ViewIn(_surrogate, region, view!, section!, range.Flags);
                byte* source = (byte*)mapped.DangerousGetHandle() + region.Guard + range.Offset;
                int result = WinHv.MapGpaRange2(
                    Value, _surrogate.Process.DangerousGetHandle(), source, range.GuestAddress, range.Size, range.Flags);
                if (result < 0)
                {
                    throw SurrogateFailure ?? WhpError.Create(result, WinHvExports.WHvMapGpaRange2);
                }
            }

            range.Host = host;
            range.View = mapped;
        }
        catch
        {
            Release(host, mapped);
            throw;
        }
    }

    private void Unmap(MappedRange range)
    {
        // Not mapped: an earlier attempt to replace its memory has failed half way.
        if (range.Host is not null)
        {
            int result = WinHv.UnmapGpaRange(Value, range.GuestAddress, range.Size);
            if (result < 0)
            {
                throw SurrogateFailure ?? WhpError.Create(result, nameof(WinHvPlatform.WHvUnmapGpaRange));
            }

            SafeHandle host = range.Host;
            SurrogateViewHandle? view = range.View;
            range.Host = null;
            range.View = null;
            Release(host, view);
        }
    }

    /// <summary>The view of a section in the surrogate, which the partition holds once more.</summary>
    private SurrogateViewHandle ViewIn(Surrogate surrogate, ISectionRegion region, SafeHandle host, SectionHandle section, uint flags)
    {
        if (!_views.TryGetValue(host, out SurrogateViewHandle? view))
        {
            bool isWritable = !region.IsReadOnly || (flags & WhvMapGpaRangeFlags.WHvMapGpaRangeFlagWrite) != 0;
            view = MapView(surrogate, region, host, section, isWritable ? Kernel32.PAGE_READWRITE : Kernel32.PAGE_READONLY);
            _views.Add(host, view);
        }

        _handle.Hold(view);
        return view;
    }

    private SurrogateViewHandle MapView(
        Surrogate surrogate, ISectionRegion region, SafeHandle host, SectionHandle section, uint protection)
    {
        nint process = surrogate.Process.DangerousGetHandle();
        int error = _system.Kernel.MapViewInProcess(section.DangerousGetHandle(), process, protection, out nint address);
        if (error != 0)
        {
            throw SurrogateFailure ?? WhpError.CreateWin32(error, "MapViewOfFile3");
        }

        SurrogateViewHandle view = new(_system.Kernel, address, surrogate, host);
        try
        {
            if (region.Guard > 0)
            {
                Guard(process, address, region.Guard);
                Guard(process, address + region.Guard + (nint)region.Size, region.Guard);
            }

            return view;
        }
        catch
        {
            view.Dispose();
            throw;
        }
    }

    private void Guard(nint process, nint address, int size)
    {
        int error = _system.Kernel.ProtectInProcess(process, address, (nuint)size, Kernel32.PAGE_NOACCESS);
        if (error != 0)
        {
            throw SurrogateFailure ?? WhpError.CreateWin32(error, "VirtualProtectEx");
        }
    }

    /// <summary>Stops holding what a range needed; what nothing else needs is released.</summary>
    private void Release(SafeHandle host, SurrogateViewHandle? view)
    {
        if (view is not null && _handle.StopHolding(view))
        {
            _views.Remove(view.Host);
            _earlierFailures.Dispose(view);
        }

        _handle.StopHolding(host);
        _earlierFailures.Note(host);
    }

    /// <summary>The regions do not know of the machine any more.</summary>
    private void ForgetRegions()
    {
        foreach (MappedRange range in _ranges)
        {
            (range.Region as SectionMemoryRegion)?.Remove(this);
        }

        // The partition alone keeps the views.
        foreach (SurrogateViewHandle view in _views.Values)
        {
            view.Dispose();
        }
    }

    /// <summary>Memory at a guest physical address.</summary>
    private sealed class MappedRange(uint slot, ulong guestAddress, nuint size, uint flags, ISectionRegion? region, nuint offset)
    {
        public uint Slot => slot;

        public ulong GuestAddress => guestAddress;

        public nuint Size => size;

        public uint Flags => flags;

        /// <summary>The section, if the memory is one.</summary>
        public ISectionRegion? Region => region;

        /// <summary>Where the range begins in the region.</summary>
        public nuint Offset => offset;

        /// <summary>What keeps the memory in this process alive; <see langword="null"/> while nothing is mapped.</summary>
        public SafeHandle? Host { get; set; }

        /// <summary>The memory of the application that the range is a copy of, if it is one.</summary>
        public SafeHandle? Source { get; set; }

        /// <summary>The view of the memory in the surrogate, if there is one.</summary>
        public SurrogateViewHandle? View { get; set; }
    }
}

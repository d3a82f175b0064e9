using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>Sections of memory, views, and the protection of their pages.</summary>
internal sealed partial class SimulatedWindows
{
    private const uint NoAccess = 0x1;
    private const uint ReadOnly = 0x2;
    private const uint ReadWrite = 0x4;

    private readonly List<SimulatedView> _views = [];

    public int CreateMemorySection(nuint size, out nint section)
    {
        lock (_lock)
        {
            section = 0;
            if (SimulatedSection.Create(size) is not { } created)
            {
                return NotEnoughMemory;
            }

            section = Add(created);
            return 0;
        }
    }

    public int MapReadView(nint section, out nint address) => Map(section, process: null, ReadOnly, out address);

    public int MapWritableView(nint section, out nint address) => Map(section, process: null, ReadWrite, out address);

    public int Protect(nint address, nuint size, uint protection) => Protect(process: null, address, size, protection);

    public int UnmapView(nint address) => Unmap(process: null, address);

    public int MapViewInProcess(nint section, nint process, uint protection, out nint address)
    {
        lock (_lock)
        {
            address = 0;
            if (!TryFind(process, out SimulatedProcess found) || found.HasEnded)
            {
                return AccessDenied;
            }

            if (!found.IsInJob)
            {
                Violations.Add($"process {found.Id} would outlive this one");
            }

            MappedRemoteViews++;
            return Map(section, found, protection, out address);
        }
    }

    public int ProtectInProcess(nint process, nint address, nuint size, uint protection)
    {
        lock (_lock)
        {
            return TryFind(process, out SimulatedProcess found) && !found.HasEnded
                ? Protect(found, address, size, protection)
                : AccessDenied;
        }
    }

    public int UnmapViewInProcess(nint process, nint address)
    {
        lock (_lock)
        {
            return TryFind(process, out SimulatedProcess found) && !found.HasEnded ? Unmap(found, address) : AccessDenied;
        }
    }

    /// <summary>Finds memory of a process: the view that holds a range of it.</summary>
    internal SimulatedView? FindView(object? process, ulong address, ulong size)
    {
        lock (_lock)
        {
            return _views.Find(v => v.Process == process && address >= v.Address && address - v.Address <= v.MappedSize
                && size <= v.MappedSize - (address - v.Address));
        }
    }

    private int Map(nint section, SimulatedProcess? process, uint protection, out nint address)
    {
        lock (_lock)
        {
            address = 0;
            if (!TryFind(section, out SimulatedSection found))
            {
                return InvalidHandle;
            }

            if (found.IsOfFile && protection != ReadOnly)
            {
                return AccessDenied;
            }

            ulong size = (found.Size + PageSize - 1) & ~(ulong)(PageSize - 1);

            // Of a section of another process the platform reads and writes the pages, whatever the view here.
            int access = protection == ReadOnly && process is null ? LibC.PROT_READ : LibC.PROT_READ | LibC.PROT_WRITE;
            nint result = Below.MapMemory((nuint)size, access, LibC.MAP_SHARED, found.Descriptor);
            if (IsError(result))
            {
                return NotEnoughMemory;
            }

            address = result;
            _views.Add(new SimulatedView(process, (ulong)result, size, protection, found.IsOfFile));
            return 0;
        }
    }

    private int Protect(SimulatedProcess? process, nint address, nuint size, uint protection)
    {
        lock (_lock)
        {
            if (FindView(process, (ulong)address, size) is not { } view || (address & (PageSize - 1)) != 0)
            {
                Violations.Add($"protection of 0x{address:X}, which is no view");
                return InvalidAddress;
            }

            int access = protection switch
            {
                NoAccess => LibC.PROT_NONE,
                ReadOnly => LibC.PROT_READ,
                _ => LibC.PROT_READ | LibC.PROT_WRITE,
            };
            view.Protect((ulong)address, size, protection);
            return Below.ProtectMemory(address, size, access) < 0 ? InvalidAddress : 0;
        }
    }

    private int Unmap(SimulatedProcess? process, nint address)
    {
        lock (_lock)
        {
            if (_views.Find(v => v.Process == process && v.Address == (ulong)address) is not { } view)
            {
                Violations.Add($"no view begins at 0x{address:X}");
                return InvalidAddress;
            }

            ViewUnmapping?.Invoke(process, view.Address, view.MappedSize);
            Remove(view);
            return 0;
        }
    }

    private void Remove(SimulatedView view)
    {
        _views.Remove(view);
        Below.UnmapMemory((nint)view.Address, (nuint)view.MappedSize);
    }
}

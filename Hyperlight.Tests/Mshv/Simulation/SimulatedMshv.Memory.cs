using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Mshv;

/// <summary>Mappings: register pages, and what must not happen to memory that is pinned for a guest.</summary>
internal sealed unsafe partial class SimulatedMshv
{
    /// <summary>MADV_POPULATE_WRITE: touches every page for writing, which is what pinning does. EFAULT beyond the end of a file.</summary>
    private const int PopulateWrite = 23;

    private readonly Dictionary<nint, SimulatedVp> _registerPages = [];
    private readonly List<PinnedRegion> _pinned = [];

    private readonly List<(ulong Address, ulong Length)> _protected = [];

    /// <summary>Private mappings of files.</summary>
    private readonly Dictionary<nint, nuint> _privateFiles = [];

    private sealed record PinnedRegion(SimulatedPartition Partition, ulong Address, ulong Size);

    public override nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        if (fd < FirstDescriptor)
        {
            nint result = base.MapMemory(length, protection, flags, fd);
            if (fd >= 0 && (flags & LibC.MAP_PRIVATE) != 0 && result is not (< 0 and >= -4095))
            {
                lock (_lock)
                {
                    _privateFiles.Add(result, length);
                }
            }

            return result;
        }

        lock (_lock)
        {
            if (!_descriptors.TryGetValue(fd, out object? target) || target is not SimulatedVp vp)
            {
                return -Errno.EBADF;
            }

            if (!Traits.HasRegisterPage)
            {
                return -Errno.ENODEV;
            }

            if (length != PageSize || (flags & LibC.MAP_SHARED) == 0)
            {
                return -Errno.EINVAL;
            }

            nint address = base.MapMemory(PageSize, protection, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1);
            if (address is not (< 0 and >= -4095))
            {
                _registerPages.Add(address, vp);
                vp.MapRegisterPage(address);
            }

            return address;
        }
    }

    public override int UnmapMemory(nint address, nuint length)
    {
        lock (_lock)
        {
            if (_registerPages.Remove(address, out SimulatedVp? vp))
            {
                vp.MapRegisterPage(0);
            }

            _privateFiles.Remove(address);
            _protected.RemoveAll(p => p.Address >= (ulong)address && p.Address < (ulong)address + length);
            if (IsPinned((ulong)address, length))
            {
                Violations.Add($"munmap at 0x{address:X} of memory that a partition still maps");
            }
        }

        return base.UnmapMemory(address, length);
    }

    public override int AdviseMemory(nint address, nuint length, int advice)
    {
        if (advice == LibC.MADV_DONTNEED && Locked(() => IsPinned((ulong)address, length)))
        {
            Violations.Add($"pages at 0x{address:X} replaced under a guest, which goes on with the old ones");
        }

        return base.AdviseMemory(address, length, advice);
    }

    public override int ProtectMemory(nint address, nuint length, int protection)
    {
        if ((protection & LibC.PROT_WRITE) == 0)
        {
            lock (_lock)
            {
                _protected.Add(((ulong)address, length));
            }
        }

        return base.ProtectMemory(address, length, protection);
    }

    /// <summary>Pins host memory, for writing whatever the guest may do.</summary>
    /// <returns>0 or a negative errno.</returns>
    internal int Pin(SimulatedPartition partition, ulong address, ulong size)
    {
        if (_protected.Any(p => address < p.Address + p.Length && p.Address < address + size))
        {
            return -Errno.EFAULT;
        }

        int result = _below.AdviseMemory((nint)address, (nuint)size, PopulateWrite);
        if (result is < 0 and not -Errno.EINVAL)
        {
            return -Errno.EFAULT;
        }

        _pinned.Add(new PinnedRegion(partition, address, size));
        return 0;
    }

    /// <summary>
    /// What the guest is given for host memory that is pinned: the pages themselves, or, of a private mapping of a file, the
    /// copies that pinning has made, which stay whatever becomes of the file.
    /// </summary>
    internal HostMemoryRegion PagesOf(ulong address, ulong size)
    {
        if (!_privateFiles.Any(m => address >= (ulong)m.Key && address < (ulong)m.Key + m.Value))
        {
            return HostMemoryRegion.FromPointer((nint)address, (nuint)size);
        }

        void* copy = NativeMemory.AlignedAlloc((nuint)size, PageSize);
        NativeMemory.Copy((void*)address, copy, (nuint)size);
        return HostMemoryRegion.FromPointer((nint)copy, (nuint)size, () => NativeMemory.AlignedFree(copy));
    }

    internal void Unpin(SimulatedPartition partition, ulong address, ulong size) =>
        _pinned.Remove(new PinnedRegion(partition, address, size));

    internal void UnpinAll(SimulatedPartition partition) => _pinned.RemoveAll(p => p.Partition == partition);

    private bool IsPinned(ulong address, ulong length) =>
        _pinned.Any(p => address < p.Address + p.Size && p.Address < address + length);
}

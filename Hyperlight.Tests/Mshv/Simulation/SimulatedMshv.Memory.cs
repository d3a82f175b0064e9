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

    private sealed record PinnedRegion(SimulatedPartition Partition, ulong Address, ulong Size);

    public override nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        if (fd < FirstDescriptor)
        {
            return base.MapMemory(length, protection, flags, fd);
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

    private readonly List<(ulong Address, ulong Length)> _protected = [];

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

    internal void Unpin(SimulatedPartition partition, ulong address, ulong size) =>
        _pinned.Remove(new PinnedRegion(partition, address, size));

    internal void UnpinAll(SimulatedPartition partition) => _pinned.RemoveAll(p => p.Partition == partition);

    private bool IsPinned(ulong address, ulong length) =>
        _pinned.Any(p => address < p.Address + p.Size && p.Address < address + length);
}

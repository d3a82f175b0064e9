using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// Keeps account of what a kernel gave and has not got back. Unlike a look at /proc it is exact: what the runtime opens and
/// maps for itself meanwhile does not count.
/// </summary>
internal sealed unsafe class AccountingKernel(ILinuxKernel inner) : ForwardingKernel(inner)
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _descriptors = [];
    private readonly HashSet<nint> _mappings = [];
    private readonly HashSet<(int Machine, uint Slot)> _slots = [];

    /// <summary>Descriptors that are open, of files, machines and vCPUs.</summary>
    public int Descriptors => Count(_descriptors);

    /// <summary>Mappings that exist.</summary>
    public int Mappings => Count(_mappings);

    /// <summary>Memory slots in use, of all machines that are open.</summary>
    public int Slots => Count(_slots);

    public override int Open(string path, int flags) => Opened(base.Open(path, flags));

    public override int Close(int fd)
    {
        int result = base.Close(fd);
        lock (_lock)
        {
            _descriptors.Remove(fd);
            _slots.RemoveWhere(s => s.Machine == fd);
        }

        return result;
    }

    public override int Ioctl(int fd, uint request, nint argument)
    {
        int result = base.Ioctl(fd, request, argument);
        if (request is KvmIoctls.KVM_CREATE_VM or KvmIoctls.KVM_CREATE_VCPU
            or MshvIoctls.MSHV_CREATE_PARTITION or MshvIoctls.MSHV_CREATE_VP)
        {
            return Opened(result);
        }

        if (request == KvmIoctls.KVM_SET_USER_MEMORY_REGION && result >= 0)
        {
            // SAFETY: the request's argument is the address of this structure.
            KvmUserspaceMemoryRegion region = *(KvmUserspaceMemoryRegion*)argument;
            lock (_lock)
            {
                _ = region.MemorySize == 0 ? _slots.Remove((fd, region.Slot)) : _slots.Add((fd, region.Slot));
            }
        }

        if (request == MshvIoctls.MSHV_SET_GUEST_MEMORY && result >= 0)
        {
            // SAFETY: the request's argument is the address of this structure. A mapping is known by its guest address.
            MshvUserMemRegion region = *(MshvUserMemRegion*)argument;
            var slot = (fd, (uint)region.GuestPfn);
            lock (_lock)
            {
                _ = (region.Flags & MshvUserMemRegion.MSHV_SET_MEM_UNMAP) != 0 ? _slots.Remove(slot) : _slots.Add(slot);
            }
        }

        return result;
    }

    public override nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        nint address = base.MapMemory(length, protection, flags, fd);
        if (address is not (< 0 and >= -4095))
        {
            lock (_lock)
            {
                _mappings.Add(address);
            }
        }

        return address;
    }

    public override int UnmapMemory(nint address, nuint length)
    {
        lock (_lock)
        {
            // Before the kernel can give the address to another thread.
            _mappings.Remove(address);
        }

        return base.UnmapMemory(address, length);
    }

    private int Opened(int fd)
    {
        if (fd >= 0)
        {
            lock (_lock)
            {
                _descriptors.Add(fd);
            }
        }

        return fd;
    }

    private int Count<T>(HashSet<T> set)
    {
        lock (_lock)
        {
            return set.Count;
        }
    }
}

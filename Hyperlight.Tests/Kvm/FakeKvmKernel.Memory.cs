using System.Runtime.InteropServices;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>Mappings: real memory, so that a test's regions and run pages can be touched.</summary>
internal sealed unsafe partial class FakeKvmKernel
{
    private const int Page = 0x1000;
    private readonly Dictionary<nint, (nuint Length, nint Allocation)> _mappings = [];

    /// <summary>The ranges that this process may access, by address.</summary>
    private readonly Dictionary<nint, nuint> _accessible = [];

    /// <summary>How many mappings exist.</summary>
    public int LiveMappings => _mappings.Count;

    public nint MapMemory(nuint length, int protection, int flags, int fd)
    {
        lock (_lock)
        {
            Journal.Add("mmap");
            object? target = null;
            if ((flags & LibC.MAP_ANONYMOUS) == 0 && !_descriptors.TryGetValue(fd, out target))
            {
                return -Errno.EBADF;
            }

            nint allocation = (nint)NativeMemory.AllocZeroed(length + Page);
            nint address = (allocation + Page - 1) & ~(Page - 1);
            _mappings.Add(address, (length, allocation));
            NoteProtection(address, length, protection);
            switch (target)
            {
                case FakeFile file:
                    file.Content.AsSpan().CopyTo(new Span<byte>((void*)address, (int)length));
                    break;
                case FakeVcpu vcpu:
                    vcpu.MapRunPage(address, (int)length);
                    break;
            }

            return address;
        }
    }

    public int ReplaceMemory(nint address, nuint length, int protection)
    {
        lock (_lock)
        {
            Journal.Add("mmap");
            if (!_mappings.Any(m => address >= m.Key && address + (nint)length <= m.Key + (nint)m.Value.Length))
            {
                Violations.Add($"mmap at 0x{address:X} of {length} bytes, where something else may be");
                return -Errno.EINVAL;
            }

            NativeMemory.Clear((void*)address, length);
            return 0;
        }
    }

    public int UnmapMemory(nint address, nuint length)
    {
        lock (_lock)
        {
            Journal.Add("munmap");
            if (!_mappings.Remove(address, out (nuint Length, nint Allocation) mapping) || mapping.Length != length)
            {
                Violations.Add($"munmap of {length} bytes at 0x{address:X}, which was not mapped so");
                return -Errno.EINVAL;
            }

            foreach (FakeVm vm in Machines.Where(static vm => !vm.IsGone))
            {
                if (vm.Slots.Values.Any(slot =>
                    slot.UserspaceAddr < (ulong)address + length && (ulong)address < slot.UserspaceAddr + slot.MemorySize))
                {
                    Violations.Add($"munmap at 0x{address:X} of memory that a machine still maps");
                }
            }

            foreach (nint range in _accessible.Keys.Where(range => range >= address && range < address + (nint)length).ToArray())
            {
                _accessible.Remove(range);
            }

            NativeMemory.Free((void*)mapping.Allocation);
            return 0;
        }
    }

    public int ProtectMemory(nint address, nuint length, int protection)
    {
        lock (_lock)
        {
            Journal.Add("mprotect");
            NoteProtection(address, length, protection);
            return 0;
        }
    }

    /// <summary>The slots of the newest machine, each with whether the process may access the memory behind it.</summary>
    public (KvmUserspaceMemoryRegion Slot, bool IsAccessible)[] NewestSlots()
    {
        lock (_lock)
        {
            return [.. Machines[^1].Slots.Values.Select(slot => (slot, IsAccessible(slot.UserspaceAddr, slot.MemorySize)))];
        }
    }

    /// <summary>Whether a range is within one mapping.</summary>
    public bool IsMapped(ulong address, ulong size)
    {
        lock (_lock)
        {
            return _mappings.Any(m => address >= (ulong)m.Key && address + size <= (ulong)m.Key + m.Value.Length);
        }
    }

    private bool IsAccessible(ulong address, ulong size) =>
        _accessible.Any(range => (ulong)range.Key < address + size && address < (ulong)range.Key + range.Value);

    private void NoteProtection(nint address, nuint length, int protection)
    {
        _accessible.Remove(address);
        if (protection != LibC.PROT_NONE)
        {
            _accessible.Add(address, length);
        }
    }

    public int AdviseMemory(nint address, nuint length, int advice)
    {
        lock (_lock)
        {
            Journal.Add("madvise");
            if (advice == LibC.MADV_DONTNEED)
            {
                NativeMemory.Clear((void*)address, length);
            }

            return 0;
        }
    }
}

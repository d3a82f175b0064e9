using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>A machine of the simulated kernel: its memory slots.</summary>
internal sealed unsafe class FakeVm
{
    public SortedDictionary<uint, KvmUserspaceMemoryRegion> Slots { get; } = [];

    public FakeVcpu? Vcpu { get; set; }

    /// <summary>What a guest may do with model-specific registers; without a filter everything.</summary>
    public FakeMsrFilter? MsrFilter { get; private set; }

    /// <summary>How many times KVM still fails to fill a slot, as it does without memory.</summary>
    public int RefusedAdditions { get; set; }

    /// <summary>Whether the machine's own descriptor was closed.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether the machine is gone: a vCPU keeps it.</summary>
    public bool IsGone => IsClosed && Vcpu is null or { IsClosed: true };

    /// <summary>Host memory behind guest physical memory.</summary>
    public Span<byte> Memory(ulong guestAddress, int length)
    {
        foreach (KvmUserspaceMemoryRegion slot in Slots.Values)
        {
            ulong offset = guestAddress - slot.GuestPhysAddr;
            if (guestAddress >= slot.GuestPhysAddr && offset <= slot.MemorySize - (ulong)length)
            {
                return new Span<byte>((void*)(slot.UserspaceAddr + offset), length);
            }
        }

        throw new ArgumentOutOfRangeException(nameof(guestAddress), $"Nothing is mapped at 0x{guestAddress:X}.");
    }

    /// <summary>KVM_CAP_X86_TRIPLE_FAULT_EVENT was enabled.</summary>
    public bool HasTripleFaultEvent { get; set; }

    /// <summary>KVM_X86_SET_MSR_FILTER.</summary>
    public int SetMsrFilter(KvmMsrFilter* filter)
    {
        MsrFilter = FakeMsrFilter.Copy(filter);
        return MsrFilter is null ? -Errno.EINVAL : 0;
    }

    /// <summary>KVM_SET_USER_MEMORY_REGION.</summary>
    public int SetMemory(KvmUserspaceMemoryRegion region)
    {
        if (region.MemorySize == 0)
        {
            return Slots.Remove(region.Slot) ? 0 : -Errno.EINVAL;
        }

        if (RefusedAdditions > 0)
        {
            RefusedAdditions--;
            return -Errno.ENOMEM;
        }

        if (Slots.ContainsKey(region.Slot)
            || ((region.GuestPhysAddr | region.MemorySize | region.UserspaceAddr) & 0xFFF) != 0)
        {
            return -Errno.EINVAL;
        }

        foreach (KvmUserspaceMemoryRegion other in Slots.Values)
        {
            if (region.GuestPhysAddr < other.GuestPhysAddr + other.MemorySize
                && other.GuestPhysAddr < region.GuestPhysAddr + region.MemorySize)
            {
                return -Errno.EEXIST;
            }
        }

        Slots.Add(region.Slot, region);
        return 0;
    }
}

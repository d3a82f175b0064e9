using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>A machine: guest physical memory, and the place where vCPUs come from.</summary>
internal sealed unsafe partial class KvmVm(KvmSystem system, MachineHandle handle)
{
    /// <summary>Of memory that was released when it was unmapped, for <see cref="Dispose"/> to report.</summary>
    private ReleaseFailures _earlierFailures;

    /// <summary>KVM_CAP_NR_MEMSLOTS.</summary>
    public uint MemorySlots => (uint)system.Facts.MemorySlots;

    /// <summary>KVM_X86_SET_MSR_FILTER, where KVM has it.</summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public void RestrictMsrs(MsrPolicy policy)
    {
        if (system.Facts.HasMsrFilter)
        {
            KvmError.Check(system.MsrFilter(policy).Apply(handle), nameof(KvmIoctls.KVM_X86_SET_MSR_FILTER));
        }
    }

    /// <summary>
    /// KVM_CAP_X86_TRIPLE_FAULT_EVENT, where KVM has it: a triple fault that was not reported before the guest was cancelled can be discarded.
    /// </summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public void EnableTripleFaultEvent()
    {
        if (system.Facts.HasTripleFaultEvent)
        {
            // SAFETY: a local structure of the request's type.
            KvmEnableCap cap = new() { Cap = KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT, Enable = 1 };
            KvmError.Check(handle.Ioctl(KvmIoctls.KVM_ENABLE_CAP, &cap), nameof(KvmIoctls.KVM_ENABLE_CAP));
        }
    }

    /// <summary>KVM_CREATE_VCPU.</summary>
    /// <param name="options">The width of guest physical addresses that CPUID reports, and the policy for registers.</param>
    /// <exception cref="GuestMsrException">KVM does not have a register that the policy adds; nothing is left behind.</exception>
    /// <exception cref="HypervisorException">KVM refused; nothing is left behind.</exception>
    public KvmVcpu CreateVcpu(in VirtualMachineOptions options)
    {
        int xsaveSize = handle.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, KvmCapabilities.KVM_CAP_XSAVE2);
        KvmError.Check(xsaveSize, nameof(KvmIoctls.KVM_CHECK_EXTENSION));
        int fd = handle.Ioctl(KvmIoctls.KVM_CREATE_VCPU, 0);
        KvmError.Check(fd, nameof(KvmIoctls.KVM_CREATE_VCPU));
        FileDescriptorHandle vcpu = new(system.Kernel, fd, parent: handle);
        try
        {
            return KvmVcpu.Create(system, vcpu, in options, xsaveSize);
        }
        catch
        {
            vcpu.Dispose();
            throw;
        }
    }

    /// <summary>KVM_SET_USER_MEMORY_REGION: fills a slot, and keeps the memory alive.</summary>
    /// <exception cref="InvalidOperationException">The slot is in use.</exception>
    /// <exception cref="HypervisorException">KVM refused; the slot is still free.</exception>
    public void Map(uint slot, in GuestMapping mapping)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, typeof(KvmVirtualMachine));
        if (slot >= system.Facts.MemorySlots)
        {
            throw new ArgumentOutOfRangeException(nameof(slot), slot, $"KVM has {system.Facts.MemorySlots} memory slots here.");
        }

        if (handle.Holds(slot))
        {
            throw new InvalidOperationException($"Memory slot {slot} is in use.");
        }

        handle.Hold(slot, mapping.Region.Handle);
        KvmUserspaceMemoryRegion region = new()
        {
            Slot = slot,
            Flags = (mapping.Flags & MemoryFlags.Write) != 0 ? 0 : KvmUserspaceMemoryRegion.KVM_MEM_READONLY,
            GuestPhysAddr = mapping.GuestAddress,
            MemorySize = mapping.Size,
            UserspaceAddr = (ulong)mapping.Region.Handle.DangerousGetHandle() + mapping.RegionOffset,
        };
        int result = SetRegion(in region);
        if (result < 0)
        {
            handle.StopHolding(slot);
            throw KvmError.Create(result, nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
        }

        _regions.Add(slot, region);
    }

    /// <summary>KVM_SET_USER_MEMORY_REGION with size 0: empties a slot, and releases the memory.</summary>
    /// <exception cref="InvalidOperationException">The slot is free.</exception>
    /// <exception cref="HypervisorException">KVM refused; the mapping is still there.</exception>
    public void Unmap(uint slot)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, typeof(KvmVirtualMachine));
        if (!handle.Holds(slot))
        {
            throw new InvalidOperationException($"Memory slot {slot} is free.");
        }

        Empty(slot);
        _withdrawn.Remove(slot);
        _regions.Remove(slot);

        // The slot is free, even if releasing the memory failed.
        _earlierFailures.Note(handle.StopHolding(slot));
    }

    // SAFETY: a structure of the request's type, in place meanwhile. The host memory in it stays, as the slot holds it.
    private int SetRegion(in KvmUserspaceMemoryRegion region)
    {
        fixed (KvmUserspaceMemoryRegion* pointer = &region)
        {
            return handle.Ioctl(KvmIoctls.KVM_SET_USER_MEMORY_REGION, pointer);
        }
    }

    /// <summary>Closes the machine and releases all memory.</summary>
    public void Dispose(ref ReleaseFailures failures)
    {
        // The last owner of the memory unmaps it and gets the failure. That may be this machine.
        SafeHandle[] memory = handle.HeldMemory();
        failures.Add(_earlierFailures);
        failures.Dispose(handle);
        foreach (SafeHandle region in memory)
        {
            failures.Note(region);
        }
    }
}

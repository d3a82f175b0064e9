using System.Runtime.InteropServices;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>A partition: guest physical memory, and the place where virtual processors come from.</summary>
internal sealed unsafe partial class MshvVm(MshvSystem system, MachineHandle handle)
{
    private const int PageShift = 12;

    /// <summary>Of memory that was released when it was unmapped, for <see cref="Dispose"/> to report.</summary>
    private ReleaseFailures _earlierFailures;

    /// <summary>
    /// Properties that have to be set early, and MSHV_INITIALIZE_PARTITION. The guest sees no synthetic timers, no
    /// synthetic interrupt controller and no reference counter.
    /// </summary>
    /// <param name="physicalAddressBits">The width of guest physical addresses that CPUID reports.</param>
    /// <exception cref="HypervisorException">The kernel or the hypervisor refused.</exception>
    public void Initialize(byte physicalAddressBits)
    {
        MshvError.Check(TryHideSyntheticFeatures(), nameof(HvCalls.HVCALL_SET_PARTITION_PROPERTY));
        HypercallOutcome width = SetProperty(HvCalls.HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, physicalAddressBits);
        if (!IsOptional(width.Status))
        {
            MshvError.Check(width, nameof(HvCalls.HVCALL_SET_PARTITION_PROPERTY));
        }

        int result;
        do
        {
            result = handle.Ioctl(MshvIoctls.MSHV_INITIALIZE_PARTITION, 0);
        }
        while (result == -Errno.EINTR);

        MshvError.Check(result, nameof(MshvIoctls.MSHV_INITIALIZE_PARTITION));
    }

    /// <summary>HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES: none.</summary>
    public HypercallOutcome TryHideSyntheticFeatures() =>
        SetProperty(HvCalls.HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, 0);

    /// <summary>MSHV_CREATE_VP.</summary>
    /// <exception cref="HypervisorException">The kernel refused; nothing is left behind.</exception>
    public MshvVcpu CreateVcpu()
    {
        // SAFETY: a local structure of the request's type, which the kernel only reads.
        MshvCreateVp arguments = default;
        int fd;
        do
        {
            fd = handle.Ioctl(MshvIoctls.MSHV_CREATE_VP, &arguments);
        }
        while (fd == -Errno.EINTR);

        MshvError.Check(fd, nameof(MshvIoctls.MSHV_CREATE_VP));
        FileDescriptorHandle vcpu = new(system.Kernel, fd, parent: handle);
        try
        {
            return MshvVcpu.Create(system, this, vcpu);
        }
        catch
        {
            vcpu.Dispose();
            throw;
        }
    }

    /// <summary>Closes the partition and releases all memory.</summary>
    public void Dispose(ref ReleaseFailures failures)
    {
        // The last owner of the memory unmaps it and gets the failure. That may be this partition.
        SafeHandle[] memory = handle.HeldMemory();
        failures.Add(_earlierFailures);
        failures.Dispose(handle);
        foreach (SafeHandle region in memory)
        {
            failures.Note(region);
        }
    }

    /// <summary>What a hypervisor may refuse: the guest then sees the width of the host's addresses.</summary>
    private static bool IsOptional(ushort status) => status
        is HvCalls.HV_STATUS_ACCESS_DENIED or HvCalls.HV_STATUS_OPERATION_DENIED or HvCalls.HV_STATUS_UNKNOWN_PROPERTY
        or HvCalls.HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE;

    private HypercallOutcome SetProperty(uint property, ulong value)
    {
        // SAFETY: a local structure of the call's type.
        HvInputSetPartitionProperty input = new() { PropertyCode = property, PropertyValue = value };
        return MshvHypercall.Call(handle, HvCalls.HVCALL_SET_PARTITION_PROPERTY, 0, &input, sizeof(HvInputSetPartitionProperty));
    }
}

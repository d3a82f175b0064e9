using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>The open device, and what was found out about it. Safe to use from any thread.</summary>
internal sealed unsafe class MshvSystem(ILinuxKernel kernel, FileDescriptorHandle device) : IDisposable
{
    /// <summary>Whether the kernel may know how to disable features of the processor.</summary>
    private volatile bool _takesFeatures = true;

    /// <summary>The kernel the device belongs to.</summary>
    public ILinuxKernel Kernel => kernel;

    /// <summary>The model-specific registers that a guest can change, once they are known. All processors are alike.</summary>
    public uint[]? WritableMsrs { get; set; }

    /// <summary>How large the XSAVE image is, and its XCOMP_BV, once they are known. All processors are alike.</summary>
    public (int Size, ulong XcompBv) XsaveFormat { get; set; }

    /// <summary>MSHV_CREATE_PARTITION. The partition has to be initialised.</summary>
    /// <exception cref="HypervisorException">The kernel refused.</exception>
    public MshvVm CreateVm()
    {
        MshvError.Check(TryCreateVm(out MshvVm? vm), nameof(MshvIoctls.MSHV_CREATE_PARTITION));
        return vm!;
    }

    /// <summary>MSHV_CREATE_PARTITION, for finding out whether that is possible.</summary>
    /// <returns>0 or more, or a negative errno.</returns>
    public int TryCreateVm(out MshvVm? vm)
    {
        int fd = _takesFeatures ? Create(MshvGuestFeatures.Arguments) : -Errno.EINVAL;
        if (fd == -Errno.EINVAL)
        {
            // A kernel that does not know how to disable features: the guest sees those that the hypervisor gives.
            fd = Create(default);
            _takesFeatures &= fd < 0;
        }

        vm = fd >= 0 ? new MshvVm(this, new MachineHandle(kernel, fd, device)) : null;
        return fd;
    }

    // SAFETY: the structure has the size that the newest kernel reads, and is in place meanwhile.
    private int Create(MshvCreatePartitionV2 arguments)
    {
        int fd;
        do
        {
            fd = device.Ioctl(MshvIoctls.MSHV_CREATE_PARTITION, &arguments);
        }
        while (fd == -Errno.EINTR);

        return fd;
    }

    /// <summary>Closes the device. Partitions that were created from it stay alive, and keep it open for the kernel.</summary>
    public void Dispose()
    {
        ReleaseFailures failures = default;
        failures.Dispose(device);
        failures.ThrowIfAny(MshvHypervisor.DriverName);
    }
}

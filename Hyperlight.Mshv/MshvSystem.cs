using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>The open device, and what was found out about it. Safe to use from any thread.</summary>
internal sealed unsafe class MshvSystem(ILinuxKernel kernel, FileDescriptorHandle device) : IDisposable
{
    /// <summary>The kernel the device belongs to.</summary>
    public ILinuxKernel Kernel => kernel;

    /// <summary>The model-specific registers that a guest can change, once they are known. All processors are alike.</summary>
    public uint[]? WritableMsrs { get; set; }

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
        // SAFETY: a local structure of at least the size that any kernel reads. Without flags no kernel knows of more than
        // 16 bytes, and none of the features are enabled that a guest of this library does not use.
        MshvCreatePartition arguments = default;
        int fd;
        do
        {
            fd = device.Ioctl(MshvIoctls.MSHV_CREATE_PARTITION, &arguments);
        }
        while (fd == -Errno.EINTR);

        vm = fd >= 0 ? new MshvVm(this, new MachineHandle(kernel, fd, device)) : null;
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

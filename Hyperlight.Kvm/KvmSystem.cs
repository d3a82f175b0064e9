using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>The open device. Safe to use from any thread.</summary>
internal sealed class KvmSystem(ILinuxKernel kernel, FileDescriptorHandle device, KvmHostFacts facts) : IDisposable
{
    private KvmMsrFilterRanges? _lastFilter;

    /// <summary>The kernel the device belongs to.</summary>
    public ILinuxKernel Kernel => kernel;

    /// <summary>What is known about the host.</summary>
    public KvmHostFacts Facts => facts;

    /// <summary>What kind of KVM it is, once that was tried.</summary>
    public KvmBehaviour? Behaviour { get; set; }

    /// <summary>The filter of a policy. Machines usually have the same policy as the one before.</summary>
    public KvmMsrFilterRanges MsrFilter(MsrPolicy policy)
    {
        KvmMsrFilterRanges? last = _lastFilter;
        if (last is null || !last.Policy.Equals(policy))
        {
            _lastFilter = last = new KvmMsrFilterRanges(policy);
        }

        return last;
    }

    /// <summary>KVM_CREATE_VM.</summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public KvmVm CreateVm()
    {
        int fd;
        do
        {
            // Creating a machine registers with the process's memory, which any signal interrupts.
            fd = device.Ioctl(KvmIoctls.KVM_CREATE_VM, 0);
        }
        while (fd == -Errno.EINTR);

        KvmError.Check(fd, nameof(KvmIoctls.KVM_CREATE_VM));
        return new KvmVm(this, new MachineHandle(kernel, fd, device));
    }

    /// <summary>Closes the device. Machines that were created from it stay alive, and keep it open for the kernel.</summary>
    public void Dispose()
    {
        ReleaseFailures failures = default;
        failures.Dispose(device);
        failures.ThrowIfAny(KvmHypervisor.DriverName);
    }
}

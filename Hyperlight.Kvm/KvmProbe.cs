using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Kvm;

/// <summary>Opens the KVM device, or finds out why it cannot be used.</summary>
internal static class KvmProbe
{
    /// <summary>The device.</summary>
    public const string DevicePath = "/dev/kvm";

    /// <summary>What guests need, under the names of the kernel's header.</summary>
    private static readonly (int Capability, string Name)[] RequiredCapabilities =
    [
        (KvmCapabilities.KVM_CAP_USER_MEMORY, nameof(KvmCapabilities.KVM_CAP_USER_MEMORY)),
        (KvmCapabilities.KVM_CAP_READONLY_MEM, nameof(KvmCapabilities.KVM_CAP_READONLY_MEM)),
        (KvmCapabilities.KVM_CAP_EXT_CPUID, nameof(KvmCapabilities.KVM_CAP_EXT_CPUID)),
        (KvmCapabilities.KVM_CAP_VCPU_EVENTS, nameof(KvmCapabilities.KVM_CAP_VCPU_EVENTS)),
        (KvmCapabilities.KVM_CAP_XSAVE, nameof(KvmCapabilities.KVM_CAP_XSAVE)),
        (KvmCapabilities.KVM_CAP_DEBUGREGS, nameof(KvmCapabilities.KVM_CAP_DEBUGREGS)),
        (KvmCapabilities.KVM_CAP_IMMEDIATE_EXIT, nameof(KvmCapabilities.KVM_CAP_IMMEDIATE_EXIT)),
    ];

    /// <summary>Opens the device.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="system">The device, if the answer is usable.</param>
    public static HypervisorStatus Open(ILinuxKernel kernel, out KvmSystem? system)
    {
        system = null;
        if (kernel.UnsupportedPlatform is { } reason)
        {
            return new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, $"KVM needs Linux on x64. {reason}");
        }

        int fd = kernel.Open(DevicePath, LibC.O_RDWR | LibC.O_CLOEXEC);
        if (fd < 0)
        {
            return CannotOpen(-fd);
        }

        FileDescriptorHandle device = new(kernel, fd);
        HypervisorStatus status = Check(device, out KvmHostFacts? facts);
        if (facts is null)
        {
            device.Dispose();
            return status;
        }

        system = new KvmSystem(kernel, device, facts);
        return status;
    }

    private static HypervisorStatus CannotOpen(int error) => error switch
    {
        Errno.ENOENT or Errno.ENXIO or Errno.ENODEV => new HypervisorStatus(
            HypervisorAvailability.NoDevice,
            $"{DevicePath} does not exist or has no driver ({Errno.Describe(error)}).",
            "Enable virtualization in the firmware and load the kvm_intel or kvm_amd module; "
            + $"in a container, pass the device in with --device {DevicePath}."),
        Errno.EACCES or Errno.EPERM => new HypervisorStatus(
            HypervisorAvailability.NoPermission,
            $"{DevicePath} exists, but this process may not open it ({Errno.Describe(error)}).",
            "Add the user to the kvm group (sudo usermod -aG kvm $USER, then log in again); "
            + $"in a container, pass the device in with --device {DevicePath}."),
        _ => Failed("open", error),
    };

    private static HypervisorStatus Check(FileDescriptorHandle device, out KvmHostFacts? facts)
    {
        facts = null;
        int version = device.Ioctl(KvmIoctls.KVM_GET_API_VERSION, 0);
        if (version < 0)
        {
            return Failed(nameof(KvmIoctls.KVM_GET_API_VERSION), -version);
        }

        if (version != KvmCapabilities.KVM_API_VERSION)
        {
            return new HypervisorStatus(
                HypervisorAvailability.WrongApiVersion,
                $"{DevicePath} has API version {version}; this library needs {KvmCapabilities.KVM_API_VERSION}.");
        }

        foreach ((int capability, string name) in RequiredCapabilities)
        {
            int support = device.Ioctl(KvmIoctls.KVM_CHECK_EXTENSION, capability);
            if (support <= 0)
            {
                return support < 0
                    ? Failed(nameof(KvmIoctls.KVM_CHECK_EXTENSION), -support)
                    : new HypervisorStatus(
                        HypervisorAvailability.MissingCapability,
                        $"{DevicePath} lacks {name}.",
                        "Use a newer kernel, or one with full KVM support.");
            }
        }

        int error = KvmHostFacts.Read(device, out facts, out string operation);
        return error == 0
            ? Usable($"{DevicePath}, API version {version}", facts!)
            : Failed(operation, error);
    }

    private static HypervisorStatus Usable(string reason, KvmHostFacts facts) => facts.HasMsrFilter
        ? HypervisorStatus.Usable(reason)
        : HypervisorStatus.Usable(
            $"{reason}; without {nameof(KvmCapabilities.KVM_CAP_X86_MSR_FILTER)} no model-specific register is denied to guests: a "
            + "restore resets all of them, and fails if KVM keeps bits that a guest has set, as in HWCR and VM_CR of AMD",
            "Use Linux 5.10 or later.");

    private static HypervisorStatus Failed(string operation, int error) => new(
        HypervisorAvailability.Failed, $"{DevicePath}: {operation} failed: {Errno.Describe(error)} (error {error}).");
}

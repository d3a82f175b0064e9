using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Opens the MSHV device, or finds out why it cannot be used.</summary>
internal static class MshvProbe
{
    /// <summary>The device.</summary>
    public const string DevicePath = "/dev/mshv";

    private const string NeedsRootPartition =
        "Linux must run as the root partition of the Microsoft hypervisor, or as a virtual machine that may create others (L1VH).";

    /// <summary>Opens the device, and creates a partition to see whether that is possible.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="system">The device, if the answer is usable.</param>
    public static HypervisorStatus Open(ILinuxKernel kernel, out MshvSystem? system)
    {
        system = null;
        if (kernel.UnsupportedPlatform is { } reason)
        {
            return new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, $"MSHV needs Linux on x64. {reason}");
        }

        int fd = kernel.Open(DevicePath, LibC.O_RDWR | LibC.O_CLOEXEC);
        if (fd < 0)
        {
            return CannotOpen(-fd);
        }

        FileDescriptorHandle device = new(kernel, fd);
        MshvSystem opened = new(kernel, device);
        HypervisorStatus status = Check(opened);
        if (!status.IsUsable)
        {
            device.Dispose();
            return status;
        }

        system = opened;
        return status;
    }

    private static HypervisorStatus CannotOpen(int error) => error switch
    {
        Errno.ENOENT => new HypervisorStatus(
            HypervisorAvailability.NoDevice,
            $"{DevicePath} does not exist ({Errno.Describe(error)}).",
            $"{NeedsRootPartition} It takes Linux 6.15 with CONFIG_MSHV_ROOT; in a container, pass the device in with --device {DevicePath}."),
        Errno.ENXIO or Errno.ENODEV => new HypervisorStatus(
            HypervisorAvailability.MissingCapability,
            $"{DevicePath} has no driver ({Errno.Describe(error)}): this kernel is no root partition.",
            NeedsRootPartition),
        Errno.EACCES or Errno.EPERM => new HypervisorStatus(
            HypervisorAvailability.NoPermission,
            $"{DevicePath} exists, but this process may not open it ({Errno.Describe(error)}).",
            $"Give the user access to it, by a udev rule or by chown; in a container, pass the device in with --device {DevicePath}."),
        _ => Failed("open", error),
    };

    private static HypervisorStatus Check(MshvSystem system)
    {
        int result = system.TryCreateVm(out MshvVm? vm);
        if (vm is null)
        {
            return -result switch
            {
                Errno.ENOTTY => OlderInterface(nameof(MshvIoctls.MSHV_CREATE_PARTITION), -result),
                Errno.EPERM or Errno.EACCES or Errno.ENODEV or Errno.EOPNOTSUPP => NotPrivileged(
                    nameof(MshvIoctls.MSHV_CREATE_PARTITION), Errno.Describe(-result)),
                _ => Failed(nameof(MshvIoctls.MSHV_CREATE_PARTITION), -result),
            };
        }

        HypercallOutcome outcome = vm.TryHideSyntheticFeatures();
        ReleaseFailures failures = default;
        vm.Dispose(ref failures);
        if (outcome.Succeeded)
        {
            return failures.First is { } failure
                ? Failed(failure.Operation, failure.Error)
                : HypervisorStatus.Usable(DevicePath);
        }

        const string Operation = nameof(MshvIoctls.MSHV_ROOT_HVCALL);
        return outcome switch
        {
            { Result: -Errno.ENOTTY } => OlderInterface(Operation, Errno.ENOTTY),
            { Status: HvCalls.HV_STATUS_ACCESS_DENIED } => NotPrivileged(Operation, $"hypervisor status {outcome.Status}"),
            _ => new HypervisorStatus(
                HypervisorAvailability.Failed,
                MshvError.Create(outcome, nameof(HvCalls.HVCALL_SET_PARTITION_PROPERTY)).Message),
        };
    }

    private static HypervisorStatus OlderInterface(string operation, int error) => new(
        HypervisorAvailability.WrongApiVersion,
        $"{DevicePath} does not know {operation} ({Errno.Describe(error)}): it has an older interface.",
        "Use Linux 6.15 or later.");

    private static HypervisorStatus NotPrivileged(string operation, string reason) => new(
        HypervisorAvailability.MissingCapability,
        $"{DevicePath} exists, but the hypervisor does not let this kernel create partitions: {operation} failed ({reason}).",
        NeedsRootPartition);

    private static HypervisorStatus Failed(string operation, int error) => new(
        HypervisorAvailability.Failed, $"{DevicePath}: {operation} failed: {Errno.Describe(error)} (error {error}).");
}

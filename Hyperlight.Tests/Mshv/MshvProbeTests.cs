using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>What Probe says about each obstacle, and that creating a machine says the same.</summary>
[TestFixture]
internal sealed class MshvProbeTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void A_usable_device_is_named_and_left_without_partitions()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        using MshvHypervisor mshv = new(kernel);

        Assert.Multiple(() =>
        {
            Assert.That(mshv.Probe(), Is.EqualTo(HypervisorStatus.Usable("/dev/mshv")));
            Assert.That(kernel.Partitions, Is.Zero);
            Assert.That(kernel.OpenDescriptors, Is.EqualTo(1), "the device");
        });
    }

    [Test]
    public void Another_platform_is_named() => AssertObstacle(
        new FakeKvmKernel { UnsupportedPlatform = "This is Plan 9, not Linux." },
        HypervisorAvailability.UnsupportedPlatform,
        "Plan 9");

    [TestCase(Errno.ENOENT, HypervisorAvailability.NoDevice, "CONFIG_MSHV_ROOT")]
    [TestCase(Errno.EACCES, HypervisorAvailability.NoPermission, "udev")]
    [TestCase(Errno.EPERM, HypervisorAvailability.NoPermission, "udev")]
    [TestCase(Errno.ENODEV, HypervisorAvailability.MissingCapability, "root partition")]
    [TestCase(Errno.ENXIO, HypervisorAvailability.MissingCapability, "root partition")]
    [TestCase(Errno.EMFILE, HypervisorAvailability.Failed, "EMFILE")]
    public void A_device_that_cannot_be_opened_is_explained(int error, HypervisorAvailability availability, string text)
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.OpenError = error;
        AssertObstacle(kernel, availability, text);
    }

    [TestCase(Errno.EACCES, HypervisorAvailability.MissingCapability, "L1VH")]
    [TestCase(Errno.ENODEV, HypervisorAvailability.MissingCapability, "L1VH")]
    [TestCase(Errno.ENOMEM, HypervisorAvailability.Failed, "ENOMEM")]
    public void A_device_that_creates_no_partition_is_explained(int error, HypervisorAvailability availability, string text)
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.CreateError = error;
        AssertObstacle(kernel, availability, text);
    }

    [Test]
    public void An_older_interface_is_explained()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.HasOldInterface = true;
        AssertObstacle(kernel, HypervisorAvailability.WrongApiVersion, "6.15");
    }

    [Test]
    public void An_interface_without_hypercalls_is_explained()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.HasNoHypercalls = true;
        AssertObstacle(kernel, HypervisorAvailability.WrongApiVersion, "MSHV_ROOT_HVCALL");
    }

    [TestCase((ushort)6, HypervisorAvailability.MissingCapability, "root partition")]
    [TestCase((ushort)113, HypervisorAvailability.Failed, "hypervisor status 113")]
    public void A_hypervisor_that_refuses_is_explained(ushort status, HypervisorAvailability availability, string text)
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.PropertyStatus = status;
        AssertObstacle(kernel, availability, text);
        Assert.That(kernel.Partitions, Is.Zero);
    }

    [Test]
    public void A_failure_is_not_kept()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance);
        kernel.Traits.OpenError = Errno.EACCES;
        using MshvHypervisor mshv = new(kernel);
        Assert.That(mshv.Probe().IsUsable, Is.False);

        kernel.Traits.OpenError = 0;
        Assert.That(mshv.Probe().IsUsable, Is.True);
    }

    private static void AssertObstacle(ILinuxKernel kernel, HypervisorAvailability availability, string text)
    {
        using MshvHypervisor mshv = new(kernel);
        HypervisorStatus status = mshv.Probe();
        var error = Assert.Throws<HypervisorNotAvailableException>(() => mshv.CreateVirtualMachine(new VirtualMachineOptions()))!;
        Assert.Multiple(() =>
        {
            Assert.That(status.Availability, Is.EqualTo(availability), status.ToString());
            Assert.That(status.ToString(), Does.Contain(text));
            Assert.That(error.Message, Is.EqualTo(status.ToString()));
            Assert.That((kernel as SimulatedMshv)?.OpenDescriptors ?? 0, Is.Zero);
        });
    }
}

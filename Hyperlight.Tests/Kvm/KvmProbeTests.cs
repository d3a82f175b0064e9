using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Tests.Machine;

namespace Hyperlight.Tests.Kvm;

/// <summary>What Probe says about each obstacle, and that creating a machine says the same.</summary>
internal sealed class KvmProbeTests
{
    [Test]
    public void UsableDeviceIsNamedWithItsVersion()
    {
        using KvmHypervisor kvm = new(new FakeKvmKernel());

        Assert.That(kvm.Probe(), Is.EqualTo(HypervisorStatus.Usable("/dev/kvm, API version 12")));
    }

    [Test]
    public void KvmThatEmulatesPrivilegedCodeSaysSo()
    {
        FakeKvmKernel kernel = new() { OnRun = FakeEmulatingKvm.Run };
        using KvmHypervisor kvm = new(kernel);

        HypervisorStatus status = kvm.Probe();

        Assert.Multiple(() =>
        {
            Assert.That(status.IsUsable, Is.True);
            Assert.That(status.Remedy, Does.Contain("emulator").And.Contain("faster"));
            Assert.That(new HypervisorSelector([kvm]).Select().Reason, Does.Contain("emulates privileged guest code").And.Contain("faster"));
            Assert.That(status.Reason, Does.Contain("emulates privileged guest code").And.Contain("pxor, popcnt, int3"));
            Assert.That(kvm.UnsupportedPrivilegedInstructions, Is.EqualTo(new[] { "pxor", "popcnt", "int3" }));
            Assert.That(kernel.Machines, Has.Count.EqualTo(1).And.All.Property(nameof(FakeVm.IsGone)).True, "one machine, once");
        });
    }

    [Test]
    public void KvmThatCannotDenyRegistersSaysSo([Values] bool emulates)
    {
        FakeKvmKernel kernel = new();
        if (emulates)
        {
            kernel.OnRun = FakeEmulatingKvm.Run;
        }

        kernel.Capabilities[KvmCapabilities.KVM_CAP_X86_MSR_FILTER] = 0;
        using KvmHypervisor kvm = new(kernel);

        HypervisorStatus status = kvm.Probe();

        Assert.Multiple(() =>
        {
            Assert.That(status.IsUsable, Is.True);
            Assert.That(status.Reason, Does.Contain("KVM_CAP_X86_MSR_FILTER").And.Contain("VM_CR"));
            Assert.That(status.Remedy, Does.StartWith("Use Linux 5.10 or later."));
            Assert.That(status.Remedy!.Contains("emulator", StringComparison.Ordinal), Is.EqualTo(emulates));
        });
    }

    [Test]
    public void MachineSuiteRunsWhereThereIsHardware()
    {
        using KvmHypervisor hardware = new(new FakeKvmKernel());
        using KvmHypervisor emulation = new(new FakeKvmKernel { OnRun = FakeEmulatingKvm.Run });

        Assert.Multiple(() =>
        {
            Assert.That(MachineTest.WhyNoReference(hardware), Is.Null);
            Assert.That(MachineTest.WhyNoReference(new EmulatorHypervisor()), Is.Null);
            Assert.That(MachineTest.WhyNoReference(emulation), Does.Contain("cannot execute pxor, popcnt, int3 at CPL 0"));
        });
    }

    [Test]
    public void OtherPlatformIsNamed() => AssertObstacle(
        new FakeKvmKernel { UnsupportedPlatform = "This is Plan 9, not Linux." },
        HypervisorAvailability.UnsupportedPlatform,
        "Plan 9");

    [TestCase(Errno.ENOENT, "ENOENT")]
    [TestCase(Errno.ENXIO, "ENXIO")]
    [TestCase(Errno.ENODEV, "ENODEV")]
    public void MissingDeviceIsToldWithARemedy(int error, string name)
    {
        HypervisorStatus status = AssertObstacle(
            new FakeKvmKernel { OpenError = error }, HypervisorAvailability.NoDevice, name);

        Assert.That(status.Remedy, Does.Contain("kvm_intel").And.Contain("--device /dev/kvm"));
    }

    [TestCase(Errno.EACCES, "EACCES")]
    [TestCase(Errno.EPERM, "EPERM")]
    public void MissingPermissionIsToldWithARemedy(int error, string name)
    {
        HypervisorStatus status = AssertObstacle(
            new FakeKvmKernel { OpenError = error }, HypervisorAvailability.NoPermission, name);

        Assert.That(status.Remedy, Does.Contain("kvm group").And.Contain("--device /dev/kvm"));
    }

    [Test]
    public void OtherErrorsOfOpenAreNamed() => AssertObstacle(
        new FakeKvmKernel { OpenError = Errno.EMFILE }, HypervisorAvailability.Failed, "open failed: EMFILE");

    [Test]
    public void OtherApiVersionIsNamed() =>
        AssertObstacle(new FakeKvmKernel { ApiVersion = 13 }, HypervisorAvailability.WrongApiVersion, "13");

    [TestCase(KvmCapabilities.KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY")]
    [TestCase(KvmCapabilities.KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM")]
    [TestCase(KvmCapabilities.KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID")]
    [TestCase(KvmCapabilities.KVM_CAP_XSAVE, "KVM_CAP_XSAVE")]
    [TestCase(KvmCapabilities.KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS")]
    [TestCase(KvmCapabilities.KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT")]
    public void MissingCapabilityIsNamed(int capability, string name)
    {
        FakeKvmKernel kernel = new();
        kernel.Capabilities.Remove(capability);

        AssertObstacle(kernel, HypervisorAvailability.MissingCapability, name);
    }

    [Test]
    public void RunPageThatIsTooSmallIsRefused() => AssertObstacle(
        new FakeKvmKernel { RunPageSize = 2048 }, HypervisorAvailability.Failed, "KVM_GET_VCPU_MMAP_SIZE");

    [Test]
    public void FailureOfEachCallIsNamedAndLeavesNothingOpen()
    {
        for (int failAt = 1; ; failAt++)
        {
            FakeKvmKernel fake = new();
            FailingKernel kernel = new(fake, failAt);
            KvmHypervisor kvm = new(kernel);

            HypervisorStatus status = kvm.Probe();

            if (kernel.FailedCall is null)
            {
                Assert.That(Assert.Throws<HypervisorException>(kvm.Dispose)!.Operation, Is.EqualTo("close"), "the next call");
                Assert.That(failAt, Is.GreaterThan(10), "the probe makes more calls than that");
                break;
            }

            Assert.Multiple(() =>
            {
                Assert.That(status.Availability, Is.EqualTo(HypervisorAvailability.Failed));
                Assert.That(status.Reason, Does.Contain(kernel.FailedCall).And.Contain("EIO"));
                Assert.That(fake.OpenDescriptors, Is.Zero, kernel.FailedCall);
                Assert.DoesNotThrow(kvm.Dispose);
            });
        }
    }

    [Test]
    public void ObstacleMayDisappear()
    {
        FakeKvmKernel kernel = new() { OpenError = Errno.EACCES };
        using KvmHypervisor kvm = new(kernel);
        Assert.That(kvm.Probe().IsUsable, Is.False);

        kernel.OpenError = 0;

        Assert.That(kvm.Probe().IsUsable, Is.True);
    }

    [Test]
    public void DeviceIsOpenedOnceAndClosedAtTheEnd()
    {
        FakeKvmKernel kernel = new();
        using (KvmHypervisor kvm = new(kernel))
        {
            Assert.That(kernel.Journal, Is.Empty, "nothing is opened before it is needed");
            kvm.Probe();
            kvm.Probe();
            kvm.CreateVirtualMachine(new VirtualMachineOptions()).Dispose();
            Assert.That(kernel.Journal.Count(static call => call == "open"), Is.EqualTo(1));
        }

        Assert.That(kernel.OpenDescriptors, Is.Zero);
    }

    private static HypervisorStatus AssertObstacle(FakeKvmKernel kernel, HypervisorAvailability availability, string words)
    {
        using KvmHypervisor kvm = new(kernel);
        HypervisorStatus status = kvm.Probe();
        HypervisorNotAvailableException? error = Assert.Throws<HypervisorNotAvailableException>(
            () => kvm.CreateVirtualMachine(new VirtualMachineOptions()));
        Assert.Multiple(() =>
        {
            Assert.That(status.IsUsable, Is.False);
            Assert.That(status.Availability, Is.EqualTo(availability));
            Assert.That(status.Reason, Does.Contain(words));
            Assert.That(error!.Message, Is.EqualTo(status.ToString()));
            Assert.That(error.Statuses, Is.EqualTo(new[] { KeyValuePair.Create("kvm", status) }));
            Assert.That(kernel.OpenDescriptors, Is.Zero);
        });
        return status;
    }
}

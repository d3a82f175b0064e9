using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>What a new machine is given, on a scripted kernel.</summary>
internal sealed class KvmCreationTests
{
    [TestCase(36)]
    [TestCase(32)]
    [TestCase(52)]
    public void CpuidReportsTheWidthOfPhysicalAddresses(byte bits)
    {
        FakeKvmKernel kernel = new();
        using KvmHypervisor kvm = new(kernel);

        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions { PhysicalAddressBits = bits });

        Assert.Multiple(() =>
        {
            Assert.That(kernel.Vcpu.Cpuid, Has.Count.EqualTo(2));
            Assert.That(kernel.Vcpu.Cpuid[0], Is.EqualTo(kernel.SupportedCpuid[0]), "the leaf of the vendor is passed through");
            Assert.That(kernel.Vcpu.Cpuid[1].Eax, Is.EqualTo(0x0030_3000u | bits), "only EAX[7:0] of the leaf changes");
            Assert.That(kernel.Vcpu.Cpuid[1].Ebx, Is.EqualTo(0x204), "what guests are shown of the features beside it");
        });
    }

    [TestCase(0)]
    [TestCase(31)]
    [TestCase(53)]
    public void ImpossibleWidthIsRefused(byte bits)
    {
        using KvmHypervisor kvm = new(new FakeKvmKernel());

        Assert.Throws<ArgumentOutOfRangeException>(
            () => kvm.CreateVirtualMachine(new VirtualMachineOptions { PhysicalAddressBits = bits }));
    }

    [Test]
    public void ManyCpuidLeavesAreAskedForAgain()
    {
        FakeKvmKernel kernel = new();
        for (uint i = 0; i < 300; i++)
        {
            kernel.SupportedCpuid.Add(new KvmCpuidEntry2 { Function = 0x4000_0000 + i });
        }

        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.That(kernel.Vcpu.Cpuid, Has.Count.EqualTo(302));
    }

    [Test]
    public void SignalDuringCreationIsNoFailure()
    {
        FakeKvmKernel fake = new();
        using KvmHypervisor kvm = new(fake);
        kvm.Probe();
        using KvmHypervisor interrupted = new(new FailingKernel(fake, CallsOfProbe() + 1, Errno.EINTR));

        Assert.DoesNotThrow(() => interrupted.CreateVirtualMachine(new VirtualMachineOptions()).Dispose());
    }

    [Test]
    public void SecondMachineCostsFewCalls()
    {
        FakeKvmKernel kernel = new();
        using KvmHypervisor kvm = new(kernel);
        using IVirtualMachine first = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        int before = kernel.Journal.Count;

        using IVirtualMachine second = kvm.CreateVirtualMachine(new VirtualMachineOptions());

        Assert.That(kernel.Journal.Skip(before), Is.EqualTo(new[]
        {
            "KVM_CREATE_VM", "KVM_X86_SET_MSR_FILTER", "KVM_ENABLE_CAP", "KVM_CHECK_EXTENSION", "KVM_CREATE_VCPU", "KVM_SET_CPUID2", "mmap",
        }));
    }

    private static int CallsOfProbe()
    {
        FailingKernel counter = new(new FakeKvmKernel());
        using KvmHypervisor kvm = new(counter);
        kvm.Probe();
        return counter.Calls;
    }
}

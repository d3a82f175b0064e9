using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Elf;
using Moq;

namespace Hyperlight.Tests.Abstractions;

/// <summary>The contracts are small enough that an application mocks a hypervisor in ten lines.</summary>
[TestFixture]
internal sealed class MockedDriverTests
{
    [Test]
    public void A_hypervisor_is_mocked_in_ten_lines()
    {
        var machine = new Mock<IVirtualMachine>();
        machine.Setup(m => m.Run()).Returns(VmExit.Halt);
        var hypervisor = new Mock<IHypervisor>();
        hypervisor.Setup(h => h.Name).Returns("mock");
        hypervisor.Setup(h => h.Probe()).Returns(HypervisorStatus.Usable("mocked"));
        hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Returns((nuint size) => new ManagedMemoryRegion(size));
        hypervisor.Setup(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny)).Returns(machine.Object);
        using MultiUseSandbox sandbox = new SandboxBuilder().WithHypervisor(hypervisor.Object).WithGuest(Guest).Build();
        Assert.That(() => sandbox.Call<int>("Anything"), Throws.TypeOf<GuestProtocolException>(), "the mocked guest answers nothing");
    }

    private static GuestBinary Guest => GuestBinary.FromBytes(TestElf.OfCode([0xF4]).Build());
}

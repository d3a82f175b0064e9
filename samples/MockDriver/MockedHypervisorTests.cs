using Hyperlight.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Moq;

namespace Hyperlight.Samples.MockDriver;

/// <summary>Tests of what an application does when the hypervisor fails, with a mocked driver below the real library.</summary>
[TestFixture]
internal sealed class MockedHypervisorTests
{
    private Mock<IHypervisor> _driver = null!;

    [SetUp]
    public void Create()
    {
        _driver = new Mock<IHypervisor>();
        _driver.Setup(d => d.Name).Returns("mock");
        _driver.Setup(d => d.Probe()).Returns(HypervisorStatus.Usable("mocked"));
    }

    [Test]
    public async Task A_machine_without_memory_is_a_temporary_problem()
    {
        _driver.Setup(d => d.AllocateMemory(It.IsAny<nuint>())).Throws(new HypervisorException("mock", "mmap", 12, "ENOMEM"));
        await using ServiceProvider services = Build();
        var prices = new PriceService(services.GetRequiredKeyedService<ISandboxPool>("prices"));

        PriceException exception = await Assert.ThrowsAsync<PriceException>(() => prices.GetPriceAsync(3, default));

        Assert.That(exception.IsTemporary, Is.True);
        Assert.That(exception.Message, Does.Contain("mmap"));
        _driver.Verify(d => d.CreateVirtualMachine(in It.Ref<VirtualMachineOptions>.IsAny), Times.Never);
    }

    [Test]
    public void An_application_does_not_start_without_a_hypervisor()
    {
        _driver.Setup(d => d.Probe()).Returns(
            new HypervisorStatus(HypervisorAvailability.NoPermission, "/dev/mock cannot be opened.", "Join the group 'mock'."));
        using ServiceProvider services = Build();

        OptionsValidationException exception = Assert.Throws<OptionsValidationException>(
            () => services.GetRequiredService<IStartupValidator>().Validate())!;

        Assert.That(exception.Message, Does.Contain("/dev/mock cannot be opened.").And.Contain("Join the group 'mock'."));
    }

    private ServiceProvider Build() => new ServiceCollection()
        .AddHyperlight()
        .RemoveBuiltInDrivers()
        .AddDriver(_driver.Object)
        .AddSandbox("prices", o => o.Guest = Path.Combine(AppContext.BaseDirectory, "hello.elf"))
        .Services.BuildServiceProvider();
}

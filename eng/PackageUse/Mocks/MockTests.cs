using Hyperlight;
using Hyperlight.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Moq;
using NUnit.Framework;

namespace Mocks;

[TestFixture]
internal sealed class MockTests
{
    [Test]
    public void A_sandbox_is_mocked()
    {
        var sandbox = new Mock<ISandbox>();
        sandbox.Setup(s => s.Call<int>("Add", 1, 2)).Returns(3);

        int sum = Add(sandbox.Object, 1, 2);

        Assert.That(sum, Is.EqualTo(3));
        sandbox.Verify(s => s.Call<int>("Add", 1, 2), Times.Once);
    }

    [Test]
    public void A_hypervisor_is_mocked()
    {
        var driver = new Mock<IHypervisor>();
        driver.Setup(d => d.Name).Returns("mock");
        driver.Setup(d => d.Probe()).Returns(new HypervisorStatus(HypervisorAvailability.NoDevice, "There is no device."));
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().RemoveBuiltInDrivers().AddDriver(driver.Object).Services.BuildServiceProvider();

        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        Assert.That(() => factory.Hypervisor, Throws.TypeOf<HypervisorNotAvailableException>());
    }

    private static int Add(ISandbox sandbox, int a, int b) => sandbox.Call<int>("Add", a, b);
}

using Hyperlight.Abstractions;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/testing.md.</summary>
[TestFixture]
internal sealed class TestingFragments : FragmentFixture
{
    [Test]
    public void A_mocked_sandbox()
    {
        var sandbox = new Mock<ISandbox>();
        sandbox.Setup(s => s.Call<int>("Add", 1, 2)).Returns(3);
        sandbox.Setup(s => s.Call<int>("Add", It.IsAny<GuestValue[]>(), It.IsAny<CancellationToken>()))
            .Throws(new OperationCanceledException());

        var calculator = new Calculator(sandbox.Object);

        Assert.That(calculator.Add(1, 2), Is.EqualTo(3));
        Assert.That(() => calculator.Add(1, 2, default), Throws.TypeOf<OperationCanceledException>());
        sandbox.Verify(s => s.Call<int>("Add", 1, 2), Times.Once);
    }

    [Test]
    public void A_mocked_hypervisor_that_is_not_usable()
    {
        var driver = new Mock<IHypervisor>();
        driver.Setup(d => d.Name).Returns("mock");
        driver.Setup(d => d.Probe()).Returns(new HypervisorStatus(HypervisorAvailability.NoDevice, "There is no device."));
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().RemoveBuiltInDrivers().AddDriver(driver.Object)
            .Services.BuildServiceProvider();

        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        Assert.That(() => factory.Hypervisor, Throws.TypeOf<HypervisorNotAvailableException>());
    }

    [Test]
    public void A_guest_on_the_emulator()
    {
        string guest = TestGuest;

        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(guest).Build();

        Assert.That(new Calculator(sandbox).Add(1, 2), Is.EqualTo(3));
    }

    internal sealed class Calculator(ISandbox sandbox)
    {
        public int Add(int a, int b) => sandbox.Call<int>("Add", a, b);

        public int Add(int a, int b, CancellationToken token) => sandbox.Call<int>("Add", [a, b], token);
    }
}

using Hyperlight.Kvm;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/architecture.md.</summary>
[TestFixture]
internal sealed class ArchitectureFragments : FragmentFixture
{
    [Test]
    public void A_driver_with_options()
    {
        var services = new ServiceCollection();

        var kvm = new KvmHypervisor(new KvmOptions { CancellationSignal = 10 });
        SandboxBuilder builder = new SandboxBuilder().WithHypervisor(kvm);    // without a container
        services.AddHyperlight().AddDriver(kvm);                              // with one

        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.That(provider.GetRequiredService<HypervisorSelector>().Hypervisors[0], Is.SameAs(kvm));
        if (kvm.Probe().IsUsable)
        {
            using MultiUseSandbox sandbox = builder.WithGuest(TestGuest).Build();
            Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
        }
        else
        {
            Assert.That(() => builder.WithGuest(TestGuest).Build(), Throws.TypeOf<HypervisorNotAvailableException>());
        }
    }
}

using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>A guest on the simulated kernel, from creation to disposal.</summary>
[TestFixture]
internal sealed class MshvGuestTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(true)]
    [TestCase(false)]
    public void A_guest_function_is_called_and_nothing_is_left_behind(bool hasRegisterPage)
    {
        var kernel = new SimulatedMshv(LinuxKernel.Instance);
        kernel.Traits.HasRegisterPage = hasRegisterPage;
        using (var hypervisor = new MshvHypervisor(kernel))
        {
            Assert.That(hypervisor.Probe().IsUsable, hypervisor.Probe().ToString());
            using MultiUseSandbox sandbox = new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder().Build();
            sandbox.WithHostFunction("HostEchoInt", (int x) => x + 1);

            Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
            Assert.That(sandbox.Call<int>("RoundTripInt", 1), Is.EqualTo(2));
            Assert.That(kernel.Partitions, Is.EqualTo(1));
        }

        Assert.Multiple(() =>
        {
            Assert.That(kernel.Violations, Is.Empty);
            Assert.That(
                (kernel.OpenDescriptors, kernel.Partitions, kernel.VirtualProcessors, kernel.RegisterPages, kernel.PinnedRegions),
                Is.EqualTo((0, 0, 0, 0, 0)));
        });
    }
}

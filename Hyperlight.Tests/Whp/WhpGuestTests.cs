using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>A guest on the simulated platform, from creation to disposal.</summary>
[TestFixture]
internal sealed class WhpGuestTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(512)]
    [TestCase(0)]
    public void A_guest_function_is_called_and_nothing_is_left_behind(int surrogates)
    {
        using SimulatedWhp whp = new(new WhpOptions(static _ => null) { MaxSurrogates = surrogates });
        Assert.That(whp.Hypervisor.Probe().IsUsable, whp.Hypervisor.Probe().ToString());
        using MultiUseSandbox sandbox = new TestTarget(whp.Hypervisor, TestTargets.GeneralGuest)
            .Builder()
            .WithHostFunction("HostEchoInt", static (int x) => x + 1)
            .Build();

        Assert.That(sandbox.Call<int>("Add", 20, 22), Is.EqualTo(42));
        Assert.That(sandbox.Call<int>("RoundTripInt", 1), Is.EqualTo(2));
        Assert.That(whp.Windows.LiveProcesses, Is.EqualTo(surrogates > 0 ? 1 : 0));
        Assert.That(whp.Windows.RemoteViews > 0, Is.EqualTo(surrogates > 0));
    }
}

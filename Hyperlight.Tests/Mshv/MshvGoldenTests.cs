using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Golden;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// The bytes of every request of a machine's whole life are those of Golden/life.txt: no machine that runs these tests has the
/// real device, so a change of what it would be given has to be seen.
/// </summary>
[TestFixture]
internal sealed class MshvGoldenTests
{
    [Test]
    public void The_requests_of_a_whole_life_have_not_changed()
    {
        RealLinux.Require();
        SimulatedMshv simulated = new(LinuxKernel.Instance);
        simulated.Traits.KnownCreateFlags = 0x3F;
        RecordingMshv kernel = new(simulated);
        using (MshvHypervisor mshv = new(kernel))
        {
            GoldenLife.Live(mshv, kernel.Text);
        }

        kernel.Text.AssertIs("mshv-life.txt", "Hyperlight.Tests/Mshv/Golden/life.txt");
        Assert.That(simulated.Violations, Is.Empty);
    }
}

using Hyperlight.Tests.Golden;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// The arguments of every call of a machine's whole life are those of Golden/life.txt: no machine that runs these tests has the real
/// platform, so a change of what it would be given has to be seen.
/// </summary>
[TestFixture]
internal sealed class WhpGoldenTests
{
    [Test]
    public void The_calls_of_a_whole_life_have_not_changed()
    {
        RealLinux.Require();
        using TestFiles files = new();
        SimulatedWindows windows = new();
        RecordingWinHv platform = new(new SimulatedWinHv(windows));
        using (WhpHypervisor whp = new(platform, windows, new WhpOptions(static _ => null), Path.Combine(files.Directory, "surrogates")))
        {
            GoldenLife.Live(whp, platform.Text);
        }

        platform.Text.AssertIs("whp-life.txt", "Hyperlight.Tests/Whp/Golden/life.txt");
        Assert.That(windows.Violations, Is.Empty);
    }
}

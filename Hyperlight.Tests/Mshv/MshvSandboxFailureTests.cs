using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// The lives of <see cref="KernelFailureTests"/> on the simulated kernel: after each failure its own counts are zero, and the
/// driver did nothing that a real kernel would punish.
/// </summary>
[TestFixture]
internal sealed class MshvSandboxFailureTests
{
    private static IEnumerable<TestCaseData> Lives =>
    [
        .. SandboxLives.All.Keys.Select(static life => new TestCaseData(life, true)),
        new TestCaseData("restore snapshots", false),
    ];

    [TestCaseSource(nameof(Lives))]
    public void Each_call_fails_in_turn(string life, bool hasRegisterPage)
    {
        RealLinux.Require();
        using TestFiles files = new();
        List<SimulatedMshv> kernels = [];

        SandboxLife.FailEachCall(
            life,
            new KernelScene(
                () =>
                {
                    SimulatedMshv kernel = new(LinuxKernel.Instance) { KeepsJournal = false };
                    kernel.Traits.HasRegisterPage = hasRegisterPage;
                    kernels.Add(kernel);
                    return kernel;
                },
                static hypervisor => new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder(),
                files.New("first", SandboxLife.FileContent("first")),
                files.New("second", SandboxLife.FileContent("second")))
            {
                NewHypervisor = static kernel => new MshvHypervisor(kernel),
            },
            skipsRows: true);

        Assert.That(kernels, Has.Count.GreaterThan(50), "a life has more calls than that");
        foreach (SimulatedMshv kernel in kernels)
        {
            Assert.That(
                (kernel.OpenDescriptors, kernel.Partitions, kernel.VirtualProcessors, kernel.RegisterPages, kernel.PinnedRegions),
                Is.EqualTo((0, 0, 0, 0, 0)));
            Assert.That(kernel.Violations, Is.Empty);
        }
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>The lives of <see cref="SandboxLives"/> with each call of the platform and of Windows failing in turn.</summary>
[TestFixture]
internal sealed class WhpSandboxFailureTests
{
    private static IEnumerable<TestCaseData> Lives =>
    [
        .. SandboxLives.All.Keys.Select(static life => new TestCaseData(life, 4)),
        new TestCaseData("map files", 2) { TestName = "Each_call_fails_in_turn(\"map files\",2)" },
    ];

    [TestCaseSource(nameof(Lives))]
    public void Each_call_fails_in_turn(string life, int surrogates)
    {
        RealLinux.Require();
        using TestFiles files = new();
        SandboxLife.FailEachCall(
            life,
            new Scene(
                surrogates,
                Path.Combine(files.Directory, "surrogates"),
                files.New("first", SandboxLife.FileContent("first")),
                files.New("second", SandboxLife.FileContent("second"))),
            skipsRows: true);
    }

    private sealed record Scene(int Surrogates, string Directory, string FirstFile, string SecondFile)
        : LifeScene(static hypervisor => new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder(), FirstFile, SecondFile)
    {
        public override LifePlatform NewPlatform(int failAt) => new Platform(this, failAt);
    }

    private sealed class Platform : LifePlatform
    {
        private readonly FailurePlan _plan;
        private readonly SimulatedWindows _windows = new();
        private readonly SimulatedWinHv _platform;

        public Platform(Scene scene, int failAt)
        {
            _plan = new FailurePlan(failAt);
            _platform = new SimulatedWinHv(_windows);
            Hypervisor = new WhpHypervisor(
                new FailingWinHv(_platform, _plan),
                new FailingWindows(_windows, _plan),
                new WhpOptions(static _ => null) { MaxSurrogates = scene.Surrogates },
                scene.Directory);
        }

        public override IHypervisor Hypervisor { get; }

        public override string? FailedCall => _plan.FailedCall;

        public override IReadOnlyList<string> Names => _plan.Names;

        public override int Slots => _platform.MappedRanges;

        // What the platform does not say about its processors is not needed, and a cancellation is repeated.
        public override bool MayBeReplaced(string call) => call is "WHvGetCapability" or "WHvCancelRunVirtualProcessor";

        public override void AssertNothingLeft(string what)
        {
            Assert.That(
                (_platform.Partitions, _platform.VirtualProcessors, _platform.MappedRanges, _windows.LocalViews, _windows.RemoteViews,
                    _windows.LiveProcesses, _windows.OpenHandles, _windows.OpenPrograms),
                Is.EqualTo((0, 0, 0, 0, 0, 0, 0, 0)),
                $"after {what}");
            Assert.That(_windows.Violations, Is.Empty, $"after {what}");
        }
    }
}

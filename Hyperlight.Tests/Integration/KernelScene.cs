using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Integration;

/// <summary>A Linux kernel of which one call fails.</summary>
internal sealed record KernelScene(
    Func<ILinuxKernel> NewKernel, Func<IHypervisor, SandboxBuilder> NewBuilder, string FirstFile, string SecondFile)
    : LifeScene(NewBuilder, FirstFile, SecondFile)
{
    /// <summary>The driver of the kernel.</summary>
    public Func<ILinuxKernel, IHypervisor> NewHypervisor { get; init; } = static kernel => new KvmHypervisor(kernel);

    public override LifePlatform NewPlatform(int failAt) => new Platform(this, failAt);

    private sealed class Platform : LifePlatform
    {
        private readonly AccountingKernel _account;
        private readonly FailingKernel _kernel;

        public Platform(KernelScene scene, int failAt)
        {
            _account = new AccountingKernel(scene.NewKernel());
            _kernel = new FailingKernel(_account, failAt);
            Hypervisor = scene.NewHypervisor(_kernel);
        }

        public override IHypervisor Hypervisor { get; }

        public override string? FailedCall => _kernel.FailedCall;

        public override IReadOnlyList<string> Names => _kernel.Names;

        public override int Slots => _account.Slots;

        // Memory that cannot be given back is overwritten.
        public override bool MayBeReplaced(string call) => call == "madvise";

        public override void AssertNothingLeft(string what) => Assert.That(
            (_account.Descriptors, _account.Mappings, _account.Slots),
            Is.EqualTo((0, 0, 0)),
            $"descriptors, mappings and slots after {what}");
    }
}

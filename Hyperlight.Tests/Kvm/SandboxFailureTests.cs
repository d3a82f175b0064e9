using Hyperlight.Kvm.Interop;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// The lives of <see cref="KernelFailureTests"/> on the simulated kernel, which every machine has, and which notices what a
/// real one would punish.
/// </summary>
internal sealed class SandboxFailureTests
{
    private const string First = "/files/first";
    private const string Second = "/files/second";
    private static readonly string[] Lives = [.. SandboxLives.All.Keys];

    private readonly List<FakeKvmKernel> _kernels = [];

    [Test]
    public void Each_call_fails_in_turn([ValueSource(nameof(Lives))] string life, [Values] bool syncRegs)
    {
        SandboxLife.FailEachCall(life, new KernelScene(
            () => NewKernel(syncRegs),
            static hypervisor => new SandboxBuilder().WithHypervisor(hypervisor).WithGuest(FakeGuest.Binary),
            First,
            Second));

        Assert.That(_kernels, Has.Count.GreaterThan(45), "a life has more calls than that");
        foreach (FakeKvmKernel kernel in _kernels)
        {
            Assert.That((kernel.OpenDescriptors, kernel.LiveMappings), Is.EqualTo((0, 0)));
            Assert.That(kernel.Machines, Has.All.Property(nameof(FakeVm.IsGone)).True, "with their slots");
            Assert.That(kernel.Violations, Is.Empty);
        }
    }

    [TearDown]
    public void Forget() => _kernels.Clear();

    private FakeKvmKernel NewKernel(bool syncRegs)
    {
        var kernel = new FakeKvmKernel { OnRun = FakeGuest.Run };
        kernel.Capabilities[KvmCapabilities.KVM_CAP_SYNC_REGS] = syncRegs ? 7 : 0;
        kernel.MsrIndices.Add(FakeVcpu.TimeStampAdjustment);
        kernel.Files.Add(First, new FakeFile(SandboxLife.FileContent(First)));
        kernel.Files.Add(Second, new FakeFile(SandboxLife.FileContent(Second)));
        _kernels.Add(kernel);
        return kernel;
    }
}

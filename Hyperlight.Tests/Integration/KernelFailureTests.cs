using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// Whole lives of sandboxes on the machine's own kernel, with each of their kernel calls failing once: a typed error each
/// time, which names the call, and nothing left behind.
/// </summary>
[TestFixture]
internal sealed class KernelFailureTests
{
    private static readonly string[] Lives = [.. SandboxLives.All.Keys];


    [Test]
    public void Each_call_fails_in_turn([ValueSource(nameof(Lives))] string life, [Values] bool syncRegs)
    {
        RealKvm.Require();
        using var files = new TestFiles();
        int before = ProcessResources.CountKvmDescriptorsAfterCollections();

        SandboxLife.FailEachCall(life, new KernelScene(
            () => syncRegs ? LinuxKernel.Instance : new WithoutSyncRegs(),
            static hypervisor => new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder(),
            files.New("first", SandboxLife.FileContent("first")),
            files.New("second", SandboxLife.FileContent("second"))), skipsRows: true);

        Assert.That(ProcessResources.Count().KvmDescriptors, Is.EqualTo(before));
        Assert.That(File.ReadAllLines("/proc/self/maps"), Has.None.Contains(files.Directory));
    }
}

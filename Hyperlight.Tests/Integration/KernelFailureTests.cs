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

    private string _directory = null!;

    [SetUp]
    public void CreateFiles()
    {
        RealKvm.Require();
        _directory = Directory.CreateTempSubdirectory("hyperlight-").FullName;
        File.WriteAllBytes(Path.Combine(_directory, "first"), SandboxLife.FileContent("first"));
        File.WriteAllBytes(Path.Combine(_directory, "second"), SandboxLife.FileContent("second"));
    }

    [TearDown]
    public void DeleteFiles()
    {
        if (_directory is not null)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Test]
    public void Each_call_fails_in_turn([ValueSource(nameof(Lives))] string life, [Values] bool syncRegs)
    {
        int before = ProcessResources.Count().KvmDescriptors;

        SandboxLife.FailEachCall(life, new KernelScene(
            () => syncRegs ? LinuxKernel.Instance : new WithoutSyncRegs(),
            static hypervisor => new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder(),
            Path.Combine(_directory, "first"),
            Path.Combine(_directory, "second")), skipsRows: true);

        Assert.That(ProcessResources.Count().KvmDescriptors, Is.EqualTo(before));
        Assert.That(File.ReadAllLines("/proc/self/maps"), Has.None.Contains(_directory));
    }
}

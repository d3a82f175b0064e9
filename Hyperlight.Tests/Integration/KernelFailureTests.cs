using Hyperlight.Kvm;
using Hyperlight.Linux;
using Hyperlight.Tests.Kvm;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// A sandbox's whole life on the machine's own kernel, with each of its kernel calls failing once: a typed error each time,
/// which names the call, and nothing left behind.
/// </summary>
[TestFixture]
internal sealed class KernelFailureTests
{
    private static readonly byte[] Payload = [1, 2, 3];

    [TestCase(true)]
    [TestCase(false)]
    public void Each_call_fails_in_turn(bool syncRegs)
    {
        RealKvm.Require();

        // The first life warms up; it also says how many calls there are.
        var counting = new FailingKernel(Inner(syncRegs));
        Live(counting);
        ProcessResources before = ProcessResources.CountAfterCollection();
        var failed = new List<string>();
        for (int n = 1; n <= counting.Calls; n++)
        {
            var kernel = new FailingKernel(Inner(syncRegs), n);

            Exception? error = Assert.Catch(() => Live(kernel));

            Assert.That(kernel.FailedCall, Is.Not.Null, $"call {n} was reached");
            Assert.That(Typed(error, kernel.FailedCall!), Is.True, $"call {n}, {kernel.FailedCall}: {error}");
            failed.Add(kernel.FailedCall!);
        }

        ProcessResources after = ProcessResources.CountAfterCollection();
        TestContext.Progress.WriteLine(
            $"{counting.Calls} kernel calls of create, evolve, call and dispose failed in turn (sync regs: {syncRegs}): "
            + string.Join(", ", failed.CountBy(f => f).Select(c => $"{c.Key} x{c.Value}")));

        // All that the driver opens is KVM's; the runtime opens files of its own when it likes.
        Assert.That(after.KvmDescriptors, Is.EqualTo(before.KvmDescriptors));

        // A leaked sandbox has seven mappings; the runtime itself comes and goes with a few.
        Assert.That(after.Mappings, Is.LessThan(before.Mappings + 20));
    }

    private static ILinuxKernel Inner(bool syncRegs) => syncRegs ? LinuxKernel.Instance : new WithoutSyncRegs();

    /// <summary>Create, evolve, call, host call, cancel, dispose.</summary>
    private static void Live(FailingKernel kernel)
    {
        using var hypervisor = new KvmHypervisor(kernel);
        using MultiUseSandbox sandbox = new TestTarget(hypervisor, TestTargets.GeneralGuest).Builder()
            .WithHostFunction("HostEchoBytes", (byte[] bytes) => bytes)
            .Build();
        Assert.That(sandbox.Call<byte[]>("RoundTripBytes", Payload), Is.EqualTo(Payload));
        sandbox.InterruptHandle.Cancel();
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    private static bool Typed(Exception? error, string call) => error switch
    {
        HypervisorException hypervisor => hypervisor.Operation.Contains(call, StringComparison.Ordinal),
        HypervisorNotAvailableException unavailable => unavailable.Message.Contains(call, StringComparison.Ordinal),
        _ => false,
    };
}

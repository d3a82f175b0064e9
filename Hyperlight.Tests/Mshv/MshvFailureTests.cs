using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// A machine's whole life with each kernel call failing in turn: a typed error names the call, and nothing is left behind.
/// </summary>
[TestFixture]
internal sealed class MshvFailureTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(true)]
    [TestCase(false)]
    public void Each_call_fails_in_turn(bool hasRegisterPage)
    {
        using TestFiles files = new();
        string path = files.New("file", new byte[100]);
        int failures = 0;
        while (true)
        {
            SimulatedMshv simulated = new(LinuxKernel.Instance);
            simulated.Traits.HasRegisterPage = hasRegisterPage;
            AccountingKernel account = new(simulated);
            FailingKernel kernel = new(account, ++failures);

            LiveAndCheck(kernel, path);

            Assert.Multiple(() =>
            {
                Assert.That(
                    (simulated.OpenDescriptors, simulated.Partitions, simulated.VirtualProcessors, simulated.PinnedRegions),
                    Is.EqualTo((0, 0, 0, 0)),
                    $"after {kernel.FailedCall}");
                Assert.That((account.Descriptors, account.Mappings), Is.EqualTo((0, 0)), $"after {kernel.FailedCall}");
                Assert.That(simulated.Violations, Is.Empty, $"after {kernel.FailedCall}");
            });
            if (kernel.FailedCall is null)
            {
                break;
            }
        }

        TestContext.Progress.WriteLine($"{failures - 1} kernel calls failed in turn");
        Assert.That(failures, Is.GreaterThan(100), "the life of a machine has more calls than that");
    }

    [Test]
    public void A_thousand_sandboxes_leave_the_counts_of_the_kernel_at_zero()
    {
        SimulatedMshv kernel = new(LinuxKernel.Instance) { KeepsJournal = false };
        AccountingKernel account = new(kernel);
        using (MshvHypervisor hypervisor = new(account))
        {
            SandboxBuilder builder = new TestTarget(hypervisor, TestTargets.GeneralGuest)
                .BuilderFor("hello.elf")
                .WithHostFunction("GetWeekday", static () => "Monday");
            for (int i = 0; i < 1000; i++)
            {
                using MultiUseSandbox sandbox = builder.Build();
                Assert.That(sandbox.Call<string>("SayHello", "World"), Is.EqualTo("Hello, World! Today is Monday."));
            }

            Assert.That(
                (kernel.Partitions, kernel.VirtualProcessors, kernel.RegisterPages, kernel.PinnedRegions), Is.EqualTo((0, 0, 0, 0)));
        }

        Assert.That((account.Descriptors, account.Mappings, account.Slots), Is.EqualTo((0, 0, 0)));

        Assert.That(
            (kernel.OpenDescriptors, kernel.Partitions, kernel.VirtualProcessors, kernel.RegisterPages, kernel.PinnedRegions),
            Is.EqualTo((0, 0, 0, 0, 0)));
        Assert.That(kernel.Violations, Is.Empty);
    }

    /// <summary>Lives a machine's life, and checks that a failed call is reported, by an exception or by the probe.</summary>
    private static void LiveAndCheck(FailingKernel kernel, string path)
    {
        try
        {
            Live(kernel, path);
        }
        catch (HypervisorNotAvailableException error)
        {
            Assert.That(error.Message, Does.Contain("EIO"));
            return;
        }
        catch (HypervisorException error)
        {
            Assert.Multiple(() =>
            {
                Assert.That(kernel.FailedCall, Is.Not.Null, error.Message);
                Assert.That(error.Operation, Does.Contain(kernel.FailedCall));
                Assert.That(error.ErrorCode, Is.EqualTo(Errno.EIO));
            });
            return;
        }

        Assert.That(kernel.FailedCall, Is.Null, "the failure was not reported");
    }

    private static void Live(FailingKernel kernel, string path)
    {
        using MshvHypervisor mshv = new(kernel);
        using IMemoryRegion region = mshv.AllocateMemory(GuestPage.Size);
        using IPreparedMapping prepared = mshv.PrepareFileMapping(path, 0x20_0000);
        using LongModeGuest guest = new(mshv, static code => code.hlt());
        IVirtualMachine machine = guest.Machine;
        machine.MapMemory(1, GuestMapping.Whole(0x10_0000, region, MemoryFlags.Read | MemoryFlags.Write));
        machine.MapMemory(2, prepared.ToGuestMapping());
        using IMemoryRegion file = prepared.Consume();
        _ = machine.GuestWritableMsrs;
        machine.DiscardPendingState();
        machine.SetDebugRegisters(machine.GetDebugRegisters());
        machine.SetFpuRegisters(machine.GetFpuRegisters());
        machine.SetXcr0(machine.GetXcr0());
        ModelSpecificRegister[] msrs = [new(0xC000_0102)];
        machine.GetMsrs(msrs);
        machine.SetMsrs(msrs);
        machine.SetSpecialRegisters(machine.GetSpecialRegisters());
        Assert.That(machine.Run(), Is.EqualTo(VmExit.Halt));
        _ = machine.GetGeneralRegisters();
        machine.UnmapMemory(2);
    }
}

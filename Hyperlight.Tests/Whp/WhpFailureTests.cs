using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// A machine's whole life with each call of the platform and of Windows failing in turn: a typed error names the call, and
/// nothing is left behind.
/// </summary>
[TestFixture]
internal sealed class WhpFailureTests
{
    /// <summary>Large enough for a fresh section when it is cleared.</summary>
    private const nuint LargeSize = SectionMemoryRegion.ReplaceThreshold;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [TestCase(4)]
    [TestCase(0)]
    public void Each_call_fails_in_turn(int surrogates)
    {
        using TestFiles files = new();
        string path = files.New("file", new byte[100]);
        HashSet<string> failed = [];
        int failures = 0;
        while (true)
        {
            FailurePlan plan = new(++failures);
            SimulatedWindows windows = new();
            SimulatedWinHv platform = new(windows);
            WhpOptions options = new(static _ => null) { MaxSurrogates = surrogates };
            using (WhpHypervisor whp = new(new FailingWinHv(platform, plan), new FailingWindows(windows, plan), options, files.Directory))
            {
                LiveAndCheck(whp, plan, path);
            }

            Assert.Multiple(() =>
            {
                Assert.That(
                    (platform.Partitions, platform.VirtualProcessors, platform.MappedRanges, windows.LocalViews, windows.RemoteViews,
                        windows.LiveProcesses, windows.OpenHandles, windows.OpenPrograms),
                    Is.EqualTo((0, 0, 0, 0, 0, 0, 0, 0)),
                    $"after {plan.FailedCall}, failure {failures}");
                Assert.That(windows.Violations, Is.Empty, $"after {plan.FailedCall}");
            });
            if (plan.FailedCall is null)
            {
                break;
            }

            failed.Add(plan.FailedCall);
        }

        TestContext.Progress.WriteLine($"{failures - 1} calls failed in turn");
        string[] expected = surrogates > 0
            ? ["MapViewOfFile3", "VirtualProtectEx", "UnmapViewOfFile2", "CreateProcessW", "AssignProcessToJobObject", "WHvMapGpaRange2"]
            : ["WHvMapGpaRange"];
        Assert.That(failed, Is.SupersetOf(expected.Concat(
        [
            "WHvGetCapability", "WHvCreatePartition", "WHvSetPartitionProperty", "WHvSetupPartition", "WHvDeletePartition",
            "WHvCreateVirtualProcessor", "WHvUnmapGpaRange", "WHvTranslateGva", "WHvRunVirtualProcessor",
            "WHvGetVirtualProcessorRegisters", "WHvSetVirtualProcessorRegisters", "WHvGetVirtualProcessorXsaveState",
            "WHvSetVirtualProcessorXsaveState", "CreateFileW", "CreateFileMappingW", "MapViewOfFile", "VirtualProtect", "UnmapViewOfFile",
        ])));
    }

    [Test]
    public void A_thousand_sandboxes_leave_the_counts_of_the_platform_at_zero()
    {
        using SimulatedWhp whp = new();
        SandboxBuilder builder = new TestTarget(whp.Hypervisor, TestTargets.GeneralGuest)
            .BuilderFor("hello.elf")
            .WithHostFunction("GetWeekday", static () => "Monday");
        for (int i = 0; i < 1000; i++)
        {
            using MultiUseSandbox sandbox = builder.Build();
            Assert.That(sandbox.Call<string>("SayHello", "World"), Is.EqualTo("Hello, World! Today is Monday."));
        }

        Assert.That(
            (whp.Platform.Partitions, whp.Platform.VirtualProcessors, whp.Platform.MappedRanges, whp.Windows.RemoteViews),
            Is.EqualTo((0, 0, 0, 0)));
        Assert.That(whp.Windows.CreatedProcesses, Is.EqualTo(1), "one process hosted them all");
    }

    /// <summary>Lives a machine's life, and checks that a failed call is reported, by an exception or by the probe.</summary>
    private static void LiveAndCheck(WhpHypervisor whp, FailurePlan plan, string path)
    {
        try
        {
            Live(whp, path);
        }
        catch (HypervisorNotAvailableException error)
        {
            Assert.That(error.Message, Does.Contain(plan.FailedCall));
            return;
        }
        catch (HypervisorException error)
        {
            Assert.Multiple(() =>
            {
                Assert.That(plan.FailedCall, Is.Not.Null, error.Message);
                Assert.That(error.Operation, Does.Contain(plan.FailedCall));
                Assert.That(error.ErrorCode, Is.EqualTo(FailurePlan.Result).Or.EqualTo(FailurePlan.Win32Error));
            });
            return;
        }

        // What the platform does not say about its processors is not needed.
        if (plan.FailedCall != "WHvGetCapability")
        {
            Assert.That(plan.FailedCall, Is.Null, "the failure was not reported");
        }
    }

    private static void Live(WhpHypervisor whp, string path)
    {
        using IMemoryRegion region = whp.AllocateMemory(GuestPage.Size);
        using IMemoryRegion large = whp.AllocateMemory(LargeSize);
        using IPreparedMapping prepared = whp.PrepareFileMapping(path, 0x20_0000);
        using LongModeGuest guest = new(whp, static code =>
        {
            code.outsb();
            code.hlt();
        });
        IVirtualMachine machine = guest.Machine;
        machine.MapMemory(1, GuestMapping.Whole(0x10_0000, region, MemoryFlags.Read | MemoryFlags.Write));
        machine.MapMemory(2, prepared.ToGuestMapping());
        machine.MapMemory(3, GuestMapping.Whole(0x1000_0000, large, MemoryFlags.Read | MemoryFlags.Write));
        using IMemoryRegion file = prepared.Consume();
        _ = machine.GuestWritableMsrs;
        large.Clear(0, LargeSize);
        machine.DiscardPendingState();
        machine.SetDebugRegisters(machine.GetDebugRegisters());
        machine.SetFpuRegisters(machine.GetFpuRegisters());
        machine.SetXcr0(machine.GetXcr0());
        ModelSpecificRegister[] msrs = [new(0xC000_0102)];
        machine.GetMsrs(msrs);
        machine.SetMsrs(msrs);
        machine.SetSpecialRegisters(machine.GetSpecialRegisters());
        Assert.That(machine.Run().Reason, Is.EqualTo(VmExitReason.IoOut));
        Assert.That(machine.Run(), Is.EqualTo(VmExit.Halt));
        _ = machine.GetGeneralRegisters();
        machine.UnmapMemory(2);
        region.MakeReadOnly();
    }
}

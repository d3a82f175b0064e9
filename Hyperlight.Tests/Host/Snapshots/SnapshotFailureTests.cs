using Hyperlight.Abstractions;
using Hyperlight.Tests.Host.Sandboxes;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>Snapshots that cannot be taken or started from: nothing is changed by the attempt, and nothing left of it.</summary>
internal sealed class SnapshotFailureTests : ScriptedSandboxTest
{
    private static readonly HypervisorException Failure = new("mock", "a step", 5, "EIO");

    [Test]
    public void If_memory_is_missing_the_sandbox_remains_usable()
    {
        int allocations = 0;
        Guest.Hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Callback(() => allocations++).Throws(Failure);

        AssertNotTaken();

        Assert.That(allocations, Is.EqualTo(1));
    }

    [Test]
    public void A_request_through_the_handle_ends_it_and_the_sandbox_remains_usable()
    {
        int before = Guest.Regions.Count;
        DuringCapture(() => Sandbox.InterruptHandle.Cancel());

        Assert.That(
            () => Sandbox.TakeSnapshot(),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.InterruptHandle));

        Assert.That(Guest.Regions, Has.Count.EqualTo(before + 1));
        Assert.That(Guest.Regions[^1].Handle.IsClosed, Is.True);
        DuringCapture(static () => { });
        AssertUsable();
        Sandbox.TakeSnapshot().Dispose();
    }

    [Test]
    public void Disposal_ends_it()
    {
        DuringCapture(() => Sandbox.Dispose());

        Assert.That(
            () => Sandbox.TakeSnapshot(),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.Disposal));

        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Disposed));
        Assert.That(Guest.Regions.Select(r => r.Handle.IsClosed), Is.All.True);
    }

    [Test]
    public void If_memory_cannot_be_protected_the_sandbox_remains_usable()
    {
        Guest.Wrap = static region => new StubbornRegion(region) { ReadOnlyFailure = Failure };
        int before = Guest.Regions.Count;

        AssertNotTaken();

        Assert.That(Guest.Regions, Has.Count.EqualTo(before + 1));
        Assert.That(Guest.Regions[^1].Handle.IsClosed, Is.True);
    }

    [Test]
    public void If_a_register_cannot_be_read_the_sandbox_remains_usable()
    {
        int before = Guest.Regions.Count;

        // The page tables' address comes first, and the rest once the memory was captured.
        Guest.Machine.Setup(m => m.GetSpecialRegisters()).Throws(Failure);
        AssertNotTaken();
        Assert.That(Guest.Regions, Has.Count.EqualTo(before));
        Guest.Machine.SetupSequence(m => m.GetSpecialRegisters()).Returns(Guest.Special).Throws(Failure);
        AssertNotTaken();
        Guest.Machine.Setup(m => m.GetSpecialRegisters()).Returns(Guest.Special);
        Guest.Machine.Setup(m => m.GetXcr0()).Throws(Failure);
        AssertNotTaken();

        Assert.That(Guest.Regions, Has.Count.EqualTo(before + 2));
        Assert.That(Guest.Regions.Skip(before).Select(r => r.Handle.IsClosed), Is.All.True);
    }

    [Test]
    public void A_snapshot_that_failed_does_not_count()
    {
        using Snapshot first = Sandbox.TakeSnapshot();
        AssertUsable();
        Guest.Machine.Setup(m => m.GetXcr0()).Throws(Failure);
        AssertNotTaken();
        Guest.Machine.Setup(m => m.GetXcr0()).Returns(1);

        using Snapshot second = Sandbox.TakeSnapshot();

        Assert.That((first.Generation, second.Generation), Is.EqualTo((1UL, 2UL)));
        Sandbox.Restore(first);
        AssertUsable();
    }

    /// <summary>Does something while pages are about to be copied.</summary>
    private void DuringCapture(Action action) => Guest.Wrap = region =>
    {
        action();
        return region;
    };

    [TestCaseSource(nameof(StartingSteps))]
    public void A_failed_start_from_a_snapshot_releases_everything_and_keeps_the_snapshot(
        Action<ScriptedMachine> fail, bool hasMachine)
    {
        var other = new ScriptedMachine();
        Snapshot snapshot = Sandbox.TakeSnapshot();
        fail(other);

        Assert.That(
            () => other.Builder().WithFileMapping("first", 0x1000_0000).WithFileMapping("second", 0x2000_0000).WithSnapshot(snapshot).Build(),
            Throws.Exception.SameAs(Failure));

        Assert.That(other.AllReleased, Is.True);
        other.Machine.Verify(m => m.Dispose(), hasMachine ? Times.Once : Times.Never);
        Sandbox.Restore(snapshot);
        AssertUsable();
        snapshot.Dispose();
        Sandbox.Dispose();
        Assert.That(Guest.AllReleased, Is.True, "nobody else holds the snapshot's memory");
    }

    private static IEnumerable<TestCaseData> StartingSteps()
    {
        yield return Step("no scratch memory", g => g.Hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Throws(Failure), hasMachine: false);
        yield return Step("no machine", g => g.Hypervisor.Setup(h => h.CreateVirtualMachine(It.Ref<VirtualMachineOptions>.IsAny)).Throws(Failure), hasMachine: false);
        yield return Step("registers of a fresh machine", g => g.Machine.Setup(m => m.GetDebugRegisters()).Throws(Failure));
        yield return Step("pending state", g => g.Machine.Setup(m => m.DiscardPendingState()).Throws(Failure));
        yield return Step("debug registers", g => g.Machine.Setup(m => m.SetDebugRegisters(It.Ref<DebugRegisters>.IsAny)).Throws(Failure));
        yield return Step("XCR0", g => g.Machine.Setup(m => m.SetXcr0(It.IsAny<ulong>())).Throws(Failure));
        yield return Step("special registers", g => g.Machine.Setup(m => m.SetSpecialRegisters(It.Ref<SpecialRegisters>.IsAny)).Throws(Failure));
        for (uint slot = 0; slot < 4; slot++)
        {
            uint refused = slot;
            yield return Step($"slot {slot}", g => g.MapFailure = (refused, Failure));
        }

        static TestCaseData Step(string name, Action<ScriptedMachine> fail, bool hasMachine = true) =>
            new TestCaseData(fail, hasMachine).SetArgDisplayNames(name);
    }

    private void AssertNotTaken()
    {
        Assert.That(() => Sandbox.TakeSnapshot(), Throws.Exception.SameAs(Failure));
        AssertUsable();
    }
}

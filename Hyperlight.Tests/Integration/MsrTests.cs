using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration;

/// <summary>
/// A guest tries every model-specific register: it reads and writes what the policy permits and nothing else, and nothing it
/// has written is there after a restore.
/// </summary>
internal sealed class MsrTests(TestTarget target) : GuestTest(target)
{
    private const uint PageAttributeTable = 0x277;
    private const uint MiscEnable = 0x1A0;
    private const uint Star = 0xC000_0081;
    private const uint TscAux = 0xC000_0103;
    private const ulong FastStrings = 1;
    private const ulong AnHour = 1UL << 44;

    /// <summary>What is among the special registers: APIC_BASE, EFER, and the bases of FS and GS.</summary>
    private static readonly uint[] Special = [0x1B, 0xC000_0080, 0xC000_0100, 0xC000_0101];

    [Test]
    public void A_guest_reads_and_writes_what_the_default_policy_permits_and_nothing_else()
    {
        NeedsDenial();
        MsrSweep sweep = MsrSweep.Plant(Sandbox);

        Assert.That(sweep.ReadableRegisters, Is.EquivalentTo(Existing(MsrPolicy.Default.Readable)));
        Assert.That(sweep.WritableRegisters, Is.EquivalentTo(Existing(MsrPolicy.Default.Writable)));
        Assert.That(sweep.Planted, Is.EquivalentTo(Existing(MsrPolicy.Default.Writable)), "the plants can be found");
    }

    /// <summary>Where no register can be denied, the list of those that are put back has to have each one that a guest can write.</summary>
    [Test]
    public void Every_register_that_a_guest_can_write_is_put_back()
    {
        ObservedHypervisor hypervisor = new(Target.Hypervisor);
        MultiUseSandbox sandbox = Build(b => b.WithHypervisor(hypervisor));
        uint[] putBack = [.. hypervisor.Machine.GuestWritableMsrs.Span, .. Special];

        MsrSweep sweep = MsrSweep.Plant(sandbox);

        TestContext.Out.WriteLine($"writable: {string.Join(' ', sweep.WritableRegisters.Select(i => i.ToString("X")))}");
        Assert.That(sweep.WritableRegisters, Is.SupersetOf(Existing(MsrPolicy.Default.Writable)));
        Assert.That(
            sweep.WritableRegisters.Except(putBack),
            Is.SubsetOf(new[] { MsrSweep.TimeStampCounter }),
            "the counter is put back by its adjustment");
    }

    [Test]
    public void No_register_that_a_guest_can_write_survives_a_restore()
    {
        MsrSweep before = MsrSweep.Read(Sandbox);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        MsrSweep planted = MsrSweep.Plant(Sandbox);
        Assert.That(planted.Planted, Is.Not.Empty, "the plants can be found");

        Sandbox.Restore(snapshot);

        MsrSweep after = MsrSweep.Read(Sandbox);
        Assert.That(before.Differences(after), Is.Empty);
        Assert.That(after.Time, Is.InRange(before.Time, before.Time + AnHour), "nor does what was added to the clock");
        Assert.That(before.Differences(MsrSweep.Read(Build(b => b.WithSnapshot(snapshot)))), Is.Empty);
    }

    [Test]
    public void Without_permission_for_any_register_a_guest_runs_and_every_access_is_refused()
    {
        NeedsDenial();
        MultiUseSandbox sandbox = BuildWith(MsrPolicy.None);

        MsrSweep sweep = MsrSweep.Plant(sandbox);

        Assert.That(sweep.ReadableRegisters, Is.Empty);
        Assert.That(sweep.WritableRegisters, Is.Empty);
        Assert.That(sandbox.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public void A_register_added_to_none_is_the_only_one()
    {
        NeedsDenial();
        MsrSweep sweep = MsrSweep.Plant(BuildWith(MsrPolicy.None.With(PageAttributeTable)));

        Assert.That(sweep.ReadableRegisters, Is.EqualTo(new[] { PageAttributeTable }));
        Assert.That(sweep.WritableRegisters, Is.EqualTo(new[] { PageAttributeTable }));
    }

    [Test]
    public void An_added_register_is_part_of_snapshots()
    {
        if (!Target.HasMiscEnable)
        {
            Assert.Ignore($"{Target.Driver} does not give the host IA32_MISC_ENABLE, the register that is added here.");
        }

        MultiUseSandbox sandbox = BuildWith(MsrPolicy.Default.With(MiscEnable));
        using Snapshot fresh = sandbox.TakeSnapshot();
        ulong before = sandbox.Call<ulong>("ReadMsr", MiscEnable);
        sandbox.Call("WriteMsr", MiscEnable, before ^ FastStrings);
        using Snapshot changed = sandbox.TakeSnapshot();

        sandbox.Restore(fresh);
        Assert.That(sandbox.Call<ulong>("ReadMsr", MiscEnable), Is.EqualTo(before));
        sandbox.Restore(changed);
        Assert.That(sandbox.Call<ulong>("ReadMsr", MiscEnable), Is.EqualTo(before ^ FastStrings));
    }

    [Test]
    public void A_snapshot_with_an_added_register_does_not_fit_a_sandbox_without_it()
    {
        NeedsDenial();
        using Snapshot snapshot = BuildWith(MsrPolicy.Default.With(MiscEnable)).TakeSnapshot();

        SnapshotMismatchException error = Assert.Throws<SnapshotMismatchException>(() => Sandbox.Restore(snapshot))!;

        Assert.That(error.Mismatch, Is.EqualTo(SnapshotMismatch.Registers));
        Assert.That(error.Message, Does.Contain("0x1A0"));
        AssertUsable();
    }

    [Test]
    public void The_swapped_base_of_gs_does_not_survive_even_without_permission_for_any_register()
    {
        MultiUseSandbox sandbox = BuildWith(MsrPolicy.None);
        using Snapshot snapshot = sandbox.TakeSnapshot();
        ulong[] before = SwapGs(sandbox);

        sandbox.Restore(snapshot);

        Assert.That(SwapGs(sandbox), Is.EqualTo(before).And.EqualTo(new ulong[] { 0, 0 }));
    }

    [Test]
    public void A_register_that_the_hypervisor_lacks_is_refused_by_name()
    {
        const uint nothingThere = 0x1FFE;

        GuestMsrException error = Assert.Throws<GuestMsrException>(() => BuildWith(MsrPolicy.Default.With(nothingThere)))!;

        Assert.That(error.Register, Is.EqualTo(nothingThere));
        Assert.That(error.Problem, Is.EqualTo(GuestMsrProblem.NotSupported));
        Assert.That(error.Message, Does.Contain("0x1FFE").And.Contain(Target.Hypervisor.Name));
    }

    [Test]
    public void The_time_stamp_counter_can_be_read_and_not_be_written_where_registers_are_denied()
    {
        ulong first = Sandbox.Call<ulong>("ReadMsr", MsrSweep.TimeStampCounter);

        Assert.That(Sandbox.Call<ulong>("ReadMsr", MsrSweep.TimeStampCounter), Is.GreaterThan(first));
        if (Target.DeniesMsrs)
        {
            AssertPoisons<GuestAbortedException>(s => s.Call("WriteMsr", MsrSweep.TimeStampCounter, 1UL << 62));
        }
    }

    [Test]
    public void A_system_call_register_is_part_of_snapshots()
    {
        Sandbox.Call("WriteMsr", Star, 0x0013_0008_0000_0000UL);
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Call("WriteMsr", Star, 0UL);

        Sandbox.Restore(snapshot);

        Assert.That(Sandbox.Call<ulong>("ReadMsr", Star), Is.EqualTo(0x0013_0008_0000_0000UL));
    }

    /// <summary>Without TSC_AUX on a KVM without hardware virtualization: its guests have neither RDTSCP nor RDPID, and KVM gives it to the host only.</summary>
    private IEnumerable<uint> Existing(IEnumerable<uint> registers) =>
        EmulatingKvm.Runs(Target.Hypervisor) ? registers.Except([TscAux]) : registers;

    private void NeedsDenial()
    {
        if (!Target.DeniesMsrs)
        {
            Assert.Ignore($"{Target.Driver} cannot deny registers to guests: all that a guest can write are put back.");
        }
    }

    private MultiUseSandbox BuildWith(MsrPolicy policy) =>
        Build(b => b.WithConfiguration(new SandboxConfiguration { GuestMsrs = policy }));

    /// <summary>Swaps both bases of GS, changes the one that is current then, swaps back, and gives what both were.</summary>
    private static ulong[] SwapGs(MultiUseSandbox sandbox)
    {
        byte[] answer = sandbox.Call<byte[]>("SwapGs", 0x7F00_1234_5000UL);
        return [BitConverter.ToUInt64(answer), BitConverter.ToUInt64(answer, sizeof(ulong))];
    }
}

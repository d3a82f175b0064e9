using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>Which requests an operation of a sandbox takes: docs/drivers.md says why each one is needed.</summary>
[TestFixture]
internal sealed class MshvRequestCountTests
{
    private const string Get = "HVCALL_GET_VP_REGISTERS";
    private const string Set = "HVCALL_SET_VP_REGISTERS";
    private const string SetState = "MSHV_SET_VP_STATE";
    private const string Run = "MSHV_RUN_VP";

    private SimulatedMshv _kernel = null!;
    private MshvHypervisor _hypervisor = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        RealLinux.Require();
        _kernel = new SimulatedMshv(LinuxKernel.Instance);
        _hypervisor = new MshvHypervisor(_kernel);
        _sandbox = Build();
        _sandbox.WithHostFunction("HostEchoInt", static (int x) => x);
        _sandbox.Call<int>("RoundTripInt", 1);
    }

    [TearDown]
    public void Dispose()
    {
        _sandbox?.Dispose();
        _hypervisor?.Dispose();
    }

    [Test]
    public void A_warm_call_resets_the_vector_state_and_runs() =>
        Assert.That(Requests(() => _sandbox.Call<int>("Add", 1, 2)), Is.EqualTo(new[] { SetState, Run }));

    [Test]
    public void A_host_call_adds_one_run() =>
        Assert.That(Requests(() => _sandbox.Call<int>("RoundTripInt", 1)), Is.EqualTo(new[] { SetState, Run, Run }));

    [Test]
    public void A_restore_reads_the_model_specific_registers_and_writes_all_others_at_once()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(snapshot);
        _sandbox.Call<int>("Add", 1, 2);

        Assert.That(Requests(() => _sandbox.Restore(snapshot)), Is.EqualTo(new[] { Get, Set }));
        Assert.That(Requests(() => _sandbox.Call<int>("Add", 1, 2)), Is.EqualTo(new[] { SetState, Set, Run }), "the page is not valid");
    }

    [Test]
    public void A_restore_of_changed_model_specific_registers_looks_whether_they_took_their_values()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Restore(snapshot);
        _sandbox.Call("WriteMsr", 0xC000_0081U, 0x1234UL);

        Assert.That(Requests(() => _sandbox.Restore(snapshot)), Is.EqualTo(new[] { Get, Set, Get }));
    }

    [Test]
    public void A_further_sandbox_takes_one_request_for_each_of_its_parts()
    {
        MultiUseSandbox? further = null;
        IReadOnlyList<string> requests = Requests(() => further = Build());
        further!.Dispose();

        Assert.That(requests, Is.EqualTo(new[]
        {
            "MSHV_CREATE_PARTITION",
            "HVCALL_SET_PARTITION_PROPERTY",
            "HVCALL_SET_PARTITION_PROPERTY",
            "MSHV_INITIALIZE_PARTITION",
            "MSHV_CREATE_VP",
            Set,
            "MSHV_SET_GUEST_MEMORY",
            "MSHV_SET_GUEST_MEMORY",
            Get,
            Set,
            Run,
        }));
    }

    [Test]
    public void A_sandbox_of_a_snapshot_is_reset_instead_of_run_and_reads_the_counter()
    {
        using MultiUseSandbox original = Build();
        using Snapshot snapshot = original.TakeSnapshot();
        using MultiUseSandbox first = new TestTarget(_hypervisor, TestTargets.GeneralGuest).Builder().WithSnapshot(snapshot).Build();
        MultiUseSandbox? further = null;
        IReadOnlyList<string> requests = Requests(
            () => further = new TestTarget(_hypervisor, TestTargets.GeneralGuest).Builder().WithSnapshot(snapshot).Build());
        further!.Dispose();

        Assert.That(requests.Skip(5), Is.EqualTo(new[] { Set, "MSHV_SET_GUEST_MEMORY", "MSHV_SET_GUEST_MEMORY", Get, Set, Get }));
    }

    [Test]
    public void What_was_read_at_once_of_a_new_machine_is_not_used_after_a_write_or_a_run()
    {
        using SimulatedMachine machine = new(static code => code.hlt());
        _ = machine.Machine.GuestWritableMsrs;
        DebugRegisters debug = machine.Machine.GetDebugRegisters();
        machine.Machine.SetDebugRegisters(debug with { Dr0 = 0x1234 });
        Assert.That(machine.Machine.GetDebugRegisters().Dr0, Is.EqualTo(0x1234));

        machine.Machine.Run();
        Assert.That(machine.Requests(() => _ = machine.Machine.GetDebugRegisters()), Is.EqualTo(new[] { Get }));
        Assert.That(machine.Requests(() => _ = machine.Machine.GetDebugRegisters()), Is.EqualTo(new[] { Get }));
    }

    private MultiUseSandbox Build() => new TestTarget(_hypervisor, TestTargets.GeneralGuest).Builder().Build();

    private IReadOnlyList<string> Requests(Action action)
    {
        int before = _kernel.Journal.Count;
        action();
        return [.. _kernel.Journal.Skip(before)];
    }
}

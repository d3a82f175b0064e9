using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Whp;

/// <summary>How many functions of the platform each operation calls: each call goes to the hypervisor.</summary>
[TestFixture]
internal sealed class WhpTrafficTests
{
    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void A_dispatch_sets_all_registers_by_one_call()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.Run();
        Assert.That(
            machine.Calls(() =>
            {
                machine.Guest.Restart();
                machine.Machine.SetFpuRegisters(FpuRegisters.Reset);
                machine.Machine.Run();
            }),
            Is.EqualTo(Counts(
                (SimulatedFunction.WHvSetVirtualProcessorRegisters, 1),
                (SimulatedFunction.WHvSetVirtualProcessorXsaveState, 1),
                (SimulatedFunction.WHvRunVirtualProcessor, 1))));
    }

    [Test]
    public void A_reset_sets_all_registers_by_the_call_of_the_next_dispatch()
    {
        using WhpMachine machine = new(static code => code.hlt());
        machine.Machine.Run();
        ulong xcr0 = machine.Machine.GetXcr0();
        Assert.That(
            machine.Calls(() =>
            {
                machine.Machine.DiscardPendingState();
                machine.Machine.SetDebugRegisters(default);
                machine.Machine.SetXcr0(xcr0);
                machine.Machine.SetSpecialRegisters(Kvm.LongModeGuest.SpecialRegisters);
                machine.Guest.Restart();
                machine.Machine.Run();
            }),
            Is.EqualTo(Counts(
                (SimulatedFunction.WHvSetVirtualProcessorRegisters, 1), (SimulatedFunction.WHvRunVirtualProcessor, 1))));
    }

    [Test]
    public void An_OUT_costs_one_call_to_go_on_behind_it()
    {
        using WhpMachine machine = new(static code =>
        {
            code.@out(0x42, Iced.Intel.AssemblerRegisters.al);
            code.hlt();
        });
        machine.Machine.Run();
        Assert.That(
            machine.Calls(() => machine.Machine.Run()),
            Is.EqualTo(Counts(
                (SimulatedFunction.WHvSetVirtualProcessorRegisters, 1), (SimulatedFunction.WHvRunVirtualProcessor, 1))));
    }

    [Test]
    public void Operations_of_a_sandbox_call_as_few_functions_as_the_platform_allows()
    {
        using SimulatedWhp whp = new();
        SandboxBuilder builder = new TestTarget(whp.Hypervisor, TestTargets.GeneralGuest)
            .Builder()
            .WithHostFunction("HostEchoInt", static (int x) => x + 1);
        builder.Build().Dispose();

        Dictionary<SimulatedFunction, int> create = whp.Calls(() => builder.Build().Dispose());
        using MultiUseSandbox sandbox = builder.Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        sandbox.Call<int>("Add", 20, 22);
        Dictionary<SimulatedFunction, int> warmCall = whp.Calls(() => sandbox.Call<int>("Add", 20, 22));
        Dictionary<SimulatedFunction, int> hostCall = whp.Calls(() => sandbox.Call<int>("RoundTripInt", 1));
        sandbox.Restore(snapshot);
        Dictionary<SimulatedFunction, int> restore = whp.Calls(() => sandbox.Restore(snapshot));

        Write("create and dispose", create);
        Write("warm call", warmCall);
        Write("call with one host call", hostCall);
        Write("restore", restore);
        Assert.Multiple(() =>
        {
            Assert.That(
                warmCall,
                Is.EqualTo(Counts(
                    (SimulatedFunction.WHvSetVirtualProcessorRegisters, 1),
                    (SimulatedFunction.WHvSetVirtualProcessorXsaveState, 1),
                    (SimulatedFunction.WHvRunVirtualProcessor, 1))));
            Assert.That(
                hostCall,
                Is.EqualTo(Counts(
                    (SimulatedFunction.WHvSetVirtualProcessorRegisters, 2),
                    (SimulatedFunction.WHvSetVirtualProcessorXsaveState, 1),
                    (SimulatedFunction.WHvRunVirtualProcessor, 2))));
            Assert.That(
                restore,
                Is.EqualTo(Counts((SimulatedFunction.WHvGetVirtualProcessorRegisters, 1))),
                "model-specific registers are read; registers that are put back go with the next call");
            Assert.That(
                create,
                Is.EqualTo(Counts(
                    (SimulatedFunction.WHvCreatePartition, 1),
                    (SimulatedFunction.WHvSetPartitionProperty, 3),
                    (SimulatedFunction.WHvSetupPartition, 1),
                    (SimulatedFunction.WHvCreateVirtualProcessor, 1),
                    (SimulatedFunction.WHvMapGpaRange2, 2),
                    (SimulatedFunction.WHvGetVirtualProcessorRegisters, 4),
                    (SimulatedFunction.WHvSetVirtualProcessorRegisters, 1),
                    (SimulatedFunction.WHvRunVirtualProcessor, 1),
                    (SimulatedFunction.WHvDeletePartition, 1))));
        });
    }

    private static Dictionary<SimulatedFunction, int> Counts(params (SimulatedFunction Function, int Count)[] counts) =>
        counts.ToDictionary(static c => c.Function, static c => c.Count);

    private static void Write(string operation, Dictionary<SimulatedFunction, int> calls) =>
        TestContext.Out.WriteLine($"{operation}: {string.Join(", ", calls.Select(static c => $"{c.Key} {c.Value}"))}");
}

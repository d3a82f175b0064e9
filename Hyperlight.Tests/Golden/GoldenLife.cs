using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Golden;

/// <summary>The whole life of a machine, the same on each driver: probe, creation, calls with host calls, restores, disposal.</summary>
internal static class GoldenLife
{
    private const byte HostCallPort = 101;
    private const byte HaltPort = 108;

    /// <summary>Lives it.</summary>
    /// <param name="hypervisor">The driver.</param>
    /// <param name="text">Where the parts begin.</param>
    public static void Live(IHypervisor hypervisor, GoldenText text)
    {
        text.Begin("probe");
        Assert.That(hypervisor.Probe().IsUsable);

        text.Begin("create");
        using LongModeGuest guest = new(hypervisor, static code =>
        {
            code.@out(HostCallPort, al);
            code.@out(HaltPort, al);
        });
        IVirtualMachine machine = guest.Machine;
        ProcessorReset reset = new(hypervisor.Name, machine, MsrPolicy.Default);

        text.Begin("capture");
        ProcessorState state = reset.Capture(LongModeGuest.CodeAddress, LongModeGuest.StackTop);

        text.Begin("first call, with a host call");
        Call(guest);

        text.Begin("second call, with a host call");
        Call(guest);

        text.Begin("restore");
        reset.Prepare(state);
        reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);

        text.Begin("restore once more, after a register was changed");
        machine.SetMsrs([new ModelSpecificRegister(0xC000_0081, 0x1234)]);
        reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);

        text.Begin("call after a restore");
        Call(guest);
        text.Begin("dispose");
    }

    private static void Call(LongModeGuest guest)
    {
        guest.Restart();
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
        Assert.That(guest.Machine.Run().Port, Is.EqualTo(HostCallPort));
        Assert.That(guest.Machine.Run().Port, Is.EqualTo(HaltPort));
    }
}

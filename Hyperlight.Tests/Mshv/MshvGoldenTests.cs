using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;
using Hyperlight.Linux;
using Hyperlight.Mshv;
using Hyperlight.Tests.Kvm;
using Hyperlight.Tests.Linux;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// The bytes of every request of a machine's whole life are those of Golden/life.txt: no machine that runs these tests has the
/// real device, so a change of what it would be given has to be seen. If one is intended, the file is replaced by the
/// one that the failure names.
/// </summary>
[TestFixture]
internal sealed class MshvGoldenTests
{
    private const byte HostCallPort = 101;
    private const byte HaltPort = 108;

    [Test]
    public void The_requests_of_a_whole_life_have_not_changed()
    {
        RealLinux.Require();
        SimulatedMshv simulated = new(LinuxKernel.Instance);
        simulated.Traits.KnownCreateFlags = 0x3F;
        RecordingMshv kernel = new(simulated);
        Live(kernel);

        string expected = Path.Combine(AppContext.BaseDirectory, "mshv-life.txt");
        if (kernel.Text != File.ReadAllText(expected))
        {
            string actual = Path.Combine(Path.GetTempPath(), "mshv-life.txt");
            File.WriteAllText(actual, kernel.Text);
            Assert.Fail($"The requests differ from Hyperlight.Tests/Mshv/Golden/life.txt. What they are now: {actual}");
        }

        Assert.That(simulated.Violations, Is.Empty);
    }

    private static void Live(RecordingMshv kernel)
    {
        kernel.Begin("probe");
        using MshvHypervisor mshv = new(kernel);
        Assert.That(mshv.Probe().IsUsable);

        kernel.Begin("create");
        using LongModeGuest guest = new(mshv, static code =>
        {
            code.@out(HostCallPort, al);
            code.@out(HaltPort, al);
        });
        IVirtualMachine machine = guest.Machine;
        ProcessorReset reset = new(mshv.Name, machine, MsrPolicy.Default);

        kernel.Begin("capture");
        ProcessorState state = reset.Capture(LongModeGuest.CodeAddress, LongModeGuest.StackTop);

        kernel.Begin("first call, with a host call");
        Call(guest);

        kernel.Begin("second call, with a host call");
        Call(guest);

        kernel.Begin("restore");
        reset.Prepare(state);
        reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);

        kernel.Begin("restore once more, after a register was changed");
        machine.SetMsrs([new ModelSpecificRegister(0xC000_0081, 0x1234)]);
        reset.Apply(state, LongModeGuest.SpecialRegisters.Cr3);

        kernel.Begin("call after a restore");
        Call(guest);
        kernel.Begin("dispose");
    }

    private static void Call(LongModeGuest guest)
    {
        guest.Restart();
        guest.Machine.SetFpuRegisters(FpuRegisters.Reset);
        Assert.That(guest.Machine.Run().Port, Is.EqualTo(HostCallPort));
        Assert.That(guest.Machine.Run().Port, Is.EqualTo(HaltPort));
    }
}

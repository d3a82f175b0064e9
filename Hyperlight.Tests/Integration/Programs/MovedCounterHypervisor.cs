using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration.Residue;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Changes the time-stamp counter of its machines whenever the guest has left.</summary>
internal sealed class MovedCounterHypervisor(IHypervisor driver, Func<ulong, ulong> change) : ForwardingHypervisor(driver)
{
    private int _moved;

    /// <summary>What the counter becomes.</summary>
    public Func<ulong, ulong> Change { get; set; } = change;

    /// <summary>How often a counter was changed.</summary>
    public int Moved => _moved;

    public override IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) =>
        new Machine(base.CreateVirtualMachine(in options), this);

    private ulong Move(ulong counter)
    {
        Interlocked.Increment(ref _moved);
        return Change(counter);
    }

    private sealed class Machine(IVirtualMachine machine, MovedCounterHypervisor hypervisor) : ObservedMachine(machine)
    {
        private const uint TimeStampCounter = 0x10;

        public override VmExit Run()
        {
            VmExit exit = base.Run();
            Span<ModelSpecificRegister> counter = [new(TimeStampCounter)];
            Inner.GetMsrs(counter);
            Inner.SetMsrs([new(TimeStampCounter, hypervisor.Move(counter[0].Value))]);
            return exit;
        }
    }
}

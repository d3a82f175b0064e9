using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>Passes everything on to a driver, and shows the machine that was created last.</summary>
internal sealed class ObservedHypervisor(IHypervisor driver) : ForwardingHypervisor(driver)
{
    /// <summary>The machine that was created last.</summary>
    public ObservedMachine Machine { get; set; } = null!;

    public override IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        IVirtualMachine machine = base.CreateVirtualMachine(in options);
        return Machine = machine is IInstructionCounter and IWriteTracker ? new ObservedEmulator(machine) : new ObservedMachine(machine);
    }
}

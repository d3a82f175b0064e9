using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>Passes everything on to a driver, and keeps the machine that was created last in view.</summary>
internal sealed class ObservedHypervisor(IHypervisor driver) : IHypervisor
{
    public string Name => driver.Name;

    public string ProcessorVendor => driver.ProcessorVendor;

    public bool CountsInstructions => driver.CountsInstructions;

    /// <summary>The machine that was created last.</summary>
    public ObservedMachine Machine { get; private set; } = null!;

    public HypervisorStatus Probe() => driver.Probe();

    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        IVirtualMachine machine = driver.CreateVirtualMachine(in options);
        return Machine = machine is IInstructionCounter and IWriteTracker ? new ObservedEmulator(machine) : new ObservedMachine(machine);
    }

    public IMemoryRegion AllocateMemory(nuint size) => driver.AllocateMemory(size);

    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        driver.PrepareFileMapping(path, guestAddress, label);
}

using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>Passes everything on to a driver. Tests derive from it what they observe or change.</summary>
internal abstract class ForwardingHypervisor(IHypervisor driver) : IHypervisor
{
    public string Name => driver.Name;

    public string ProcessorVendor => driver.ProcessorVendor;

    public virtual string GuestProcessor => driver.GuestProcessor;

    public bool CountsInstructions => driver.CountsInstructions;

    public bool InjectsInterrupts => driver.InjectsInterrupts;

    public HypervisorStatus Probe() => driver.Probe();

    public virtual IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => driver.CreateVirtualMachine(in options);

    public virtual IMemoryRegion AllocateMemory(nuint size) => driver.AllocateMemory(size);

    public virtual IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        driver.PrepareFileMapping(path, guestAddress, label);
}

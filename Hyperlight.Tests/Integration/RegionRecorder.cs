using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>Passes everything on to a driver, and remembers the memory that was allocated.</summary>
internal sealed class RegionRecorder(IHypervisor driver) : IHypervisor
{
    public string Name => driver.Name;

    public string ProcessorVendor => driver.ProcessorVendor;

    public bool CountsInstructions => driver.CountsInstructions;

    /// <summary>What was allocated, in order.</summary>
    public List<IMemoryRegion> Regions { get; } = [];

    public HypervisorStatus Probe() => driver.Probe();

    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => driver.CreateVirtualMachine(in options);

    public IMemoryRegion AllocateMemory(nuint size)
    {
        IMemoryRegion region = driver.AllocateMemory(size);
        Regions.Add(region);
        return region;
    }

    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        driver.PrepareFileMapping(path, guestAddress, label);
}

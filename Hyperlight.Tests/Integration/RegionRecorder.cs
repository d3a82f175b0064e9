using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration;

/// <summary>Passes everything on to a driver, and remembers the memory that was allocated.</summary>
internal sealed class RegionRecorder(IHypervisor driver) : ForwardingHypervisor(driver)
{
    /// <summary>What was allocated, in order.</summary>
    public List<IMemoryRegion> Regions { get; } = [];

    public override IMemoryRegion AllocateMemory(nuint size)
    {
        IMemoryRegion region = base.AllocateMemory(size);
        Regions.Add(region);
        return region;
    }
}

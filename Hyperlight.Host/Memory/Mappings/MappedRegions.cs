using Hyperlight.Abstractions;
using Hyperlight.Host.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Memory.Mappings;

/// <summary>
/// Everything that is mapped into one virtual machine besides the guest's image and scratch memory. Each operation either
/// succeeds or leaves the machine as it was.
/// </summary>
internal sealed class MappedRegions
{
    private readonly IVirtualMachine _machine;
    private readonly ILogger _logger;
    private readonly SlotAllocator _slots;
    private readonly List<MappedRegion> _regions = [];

    /// <param name="machine">The machine.</param>
    /// <param name="firstSlot">The first slot that has no fixed use.</param>
    /// <param name="logger">For failures that the caller cannot handle.</param>
    public MappedRegions(IVirtualMachine machine, uint firstSlot, ILogger logger)
    {
        _machine = machine;
        _logger = logger;
        _slots = new SlotAllocator(firstSlot, machine.MemorySlotLimit);
    }

    /// <summary>The regions, in the order in which they were mapped.</summary>
    public IReadOnlyList<MappedRegion> Regions => _regions;

    /// <summary>The files among them.</summary>
    public IEnumerable<SandboxMapping> Files =>
        _regions.Exists(r => r.IsOwned) ? _regions.Where(r => r.IsOwned).Select(r => r.Description) : [];

    /// <summary>Maps a file, whose resources belong to this table then. On failure they still belong to the caller.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isRetained">Whether it stays mapped when a snapshot is restored.</param>
    /// <exception cref="MappingLimitException">The hypervisor has no slot left.</exception>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    public MappedRegion Map(IPreparedMapping file, bool isRetained = false)
    {
        MappedRegion region = Map(file.ToGuestMapping(), file.Label, isOwned: true, isRetained);
        try
        {
            file.Consume();
            return region;
        }
        catch
        {
            Remove(region);
            throw;
        }
    }

    /// <summary>Maps memory that stays the caller's.</summary>
    /// <inheritdoc cref="Map(IPreparedMapping, bool)"/>
    public MappedRegion Map(in GuestMapping mapping, string label) => Map(in mapping, label, isOwned: false, isRetained: false);

    /// <summary>The region that an address lies in, or <see langword="null"/>.</summary>
    public MappedRegion? Find(ulong address) => _regions.Find(r => r.Contains(address));

    /// <summary>Unmaps a region; a file is released.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused; the region is still mapped.</exception>
    public void Unmap(MappedRegion region)
    {
        Remove(region);
        Release(region);
    }

    /// <summary>Unmaps every region that is not retained, the last one first.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused; some regions are still mapped.</exception>
    public void UnmapForRestore()
    {
        for (int i = _regions.Count - 1; i >= 0; i--)
        {
            if (!_regions[i].IsRetained)
            {
                Unmap(_regions[i]);
            }
        }
    }

    /// <summary>Releases every file after the machine was disposed, whose slots are gone with it.</summary>
    public void ReleaseAll()
    {
        foreach (MappedRegion region in _regions)
        {
            Release(region);
        }

        _regions.Clear();
    }

    private MappedRegion Map(in GuestMapping mapping, string label, bool isOwned, bool isRetained)
    {
        if (!_slots.TryTake(out uint slot))
        {
            throw new MappingLimitException(_slots.Capacity!.Value, "the hypervisor has no more memory slots for one virtual machine");
        }

        try
        {
            _machine.MapMemory(slot, mapping);
        }
        catch
        {
            _slots.Return(slot);
            throw;
        }

        var region = new MappedRegion(slot, mapping, label, isOwned) { IsRetained = isRetained };
        _regions.Add(region);
        return region;
    }

    private void Remove(MappedRegion region)
    {
        _machine.UnmapMemory(region.Slot);
        _regions.Remove(region);
        _slots.Return(region.Slot);
    }

    private void Release(MappedRegion region)
    {
        if (!region.IsOwned)
        {
            return;
        }

        try
        {
            region.Mapping.Region.Dispose();
        }
        catch (HypervisorException exception)
        {
            MappingLog.CleanupFailed(_logger, exception, region.Label);
        }
    }
}

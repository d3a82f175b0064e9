using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>Guest physical memory: host regions in slots, found by page.</summary>
internal sealed class PhysicalMemory : IDisposable
{
    private readonly List<Slot> _slots = [];

    /// <summary>Fills a slot and takes a reference on the region's memory.</summary>
    public void Map(uint number, in GuestMapping mapping)
    {
        ulong first = mapping.GuestAddress;
        ulong size = mapping.Size;
        foreach (Slot slot in _slots)
        {
            if (slot.Number == number)
            {
                throw new ArgumentException($"Slot {number} is in use.", nameof(number));
            }

            if (first < slot.End && slot.First < first + size)
            {
                throw new HypervisorException(
                    EmulatorHypervisor.DriverName,
                    "MapMemory",
                    0,
                    $"the mapping at 0x{first:X} overlaps the one in slot {slot.Number}");
            }
        }

        bool held = false;
        mapping.Region.Handle.DangerousAddRef(ref held);
        nint address = mapping.Region.Handle.DangerousGetHandle() + (nint)mapping.RegionOffset;
        _slots.Add(new Slot(number, first, first + size, address, mapping));
    }

    /// <summary>Empties a slot and gives its reference back.</summary>
    public void Unmap(uint number)
    {
        int index = _slots.FindIndex(s => s.Number == number);
        if (index < 0)
        {
            throw new InvalidOperationException($"Slot {number} is free.");
        }

        _slots[index].Mapping.Region.Handle.DangerousRelease();
        _slots.RemoveAt(index);
    }

    /// <summary>Finds the page behind a guest physical address. The one way from an address to host memory.</summary>
    public bool TryGetPage(ulong address, out HostPage page, out MemoryFlags flags)
    {
        foreach (Slot slot in _slots)
        {
            if (address >= slot.First && address < slot.End)
            {
                ulong offset = (address & ~HostPage.OffsetMask) - slot.First;
                page = new HostPage(slot.Address + (nint)offset);
                flags = slot.Mapping.Flags;
                return true;
            }
        }

        page = default;
        flags = MemoryFlags.None;
        return false;
    }

    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            slot.Mapping.Region.Handle.DangerousRelease();
        }

        _slots.Clear();
    }

    private sealed record Slot(uint Number, ulong First, ulong End, nint Address, GuestMapping Mapping);
}

using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Memory;

/// <summary>Guest physical memory: host regions in slots, found by page.</summary>
/// <param name="files">The pages of mapped files.</param>
internal sealed class PhysicalMemory(FilePageStore files) : IDisposable
{
    /// <summary>A sandbox has two, and one for each file.</summary>
    private readonly List<Slot> _slots = new(capacity: 2);

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

        var memory = new SlotMemory(in mapping, files);

        // Where the operating system protects a region that is read-only, no guest can write to it either; other guests have the pages of a file.
        MemoryFlags flags = memory.IsFixed ? mapping.Flags & ~MemoryFlags.Write : mapping.Flags;
        WrittenPages? written = (flags & MemoryFlags.Write) != 0 ? new WrittenPages(size) : null;
        _slots.Add(new Slot(number, first, first + size, memory, written, flags));
    }

    /// <summary>Empties a slot and gives its reference back.</summary>
    public void Unmap(uint number)
    {
        Slot slot = Filled(number);
        slot.Memory.Dispose();
        _slots.Remove(slot);
    }

    /// <summary>
    /// Finds the page behind a guest physical address. The one way from an address to host memory; a page of a file is read
    /// here when it is used first. A page keeps its place for as long as its slot is filled.
    /// </summary>
    /// <returns>Whether there is one: not where nothing is mapped, nor where a file cannot be read.</returns>
    public bool TryGetPage(ulong address, out HostPage page, out MemoryFlags flags)
    {
        if (Find(address) is not { } slot)
        {
            page = default;
            flags = MemoryFlags.None;
            return false;
        }

        ulong offset = (address & ~HostPage.OffsetMask) - slot.First;
        flags = slot.Flags;
        if (slot.Memory.FilePages is { } pages)
        {
            return pages.TryGet(offset, out page);
        }

        page = new HostPage(slot.Memory.Address + (nint)offset);
        return true;
    }

    /// <summary>How many pages the guest has written so far; a page that was cleared counts again.</summary>
    public long WrittenPageCount { get; private set; }

    /// <summary>Whether a page is of a file or of a region that is read-only, so that neither the host nor a guest changes it while its slot is filled.</summary>
    public bool IsFixed(HostPage page)
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Memory.IsFixed && slot.Memory.Contains(page, slot.End - slot.First))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Notes that the guest writes to the page behind a guest physical address, before it can.</summary>
    public void NoteWrite(ulong address)
    {
        if (Find(address) is { Written: { } written } slot && written.Add(address - slot.First))
        {
            WrittenPageCount++;
        }
    }

    /// <summary>Whether the guest has written to the page behind a guest physical address.</summary>
    public bool IsWritten(ulong address) =>
        Find(address) is { Written: { } written } slot && written.Contains(address - slot.First);

    /// <summary>
    /// Sets the pages of a slot that the guest has written to zero. Translations that let it write without being noticed must
    /// be forgotten before it runs again.
    /// </summary>
    public void ClearWritten(uint number)
    {
        Slot slot = Filled(number);
        slot.Written?.Clear(slot.Memory.Address);
    }

    /// <summary>The exit for a read that found no page, or one that cannot be read.</summary>
    public VmExit RefusedRead(ulong address, int size) => Find(address) is not null
        ? VmExit.AccessViolation(address, MemoryFlags.Read)
        : VmExit.MmioRead(address, (byte)size);

    /// <summary>Visits the host memory of every slot that the guest can write.</summary>
    /// <param name="visit">Receives the visitor, the first address and the size.</param>
    /// <param name="visitor">Who visits it.</param>
    public void ForEachWritable<TVisitor>(Action<TVisitor, ulong, ulong> visit, TVisitor visitor)
    {
        foreach (Slot slot in _slots)
        {
            if ((slot.Flags & MemoryFlags.Write) != 0)
            {
                visit(visitor, (ulong)slot.Memory.Address, slot.End - slot.First);
            }
        }
    }

    public void Dispose()
    {
        foreach (Slot slot in _slots)
        {
            slot.Memory.Dispose();
        }

        _slots.Clear();
    }

    private Slot? Find(ulong address)
    {
        foreach (Slot slot in _slots)
        {
            if (address >= slot.First && address < slot.End)
            {
                return slot;
            }
        }

        return null;
    }

    private Slot Filled(uint number)
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Number == number)
            {
                return slot;
            }
        }

        throw new InvalidOperationException($"Slot {number} is free.");
    }

    private sealed record Slot(
        uint Number, ulong First, ulong End, SlotMemory Memory, WrittenPages? Written, MemoryFlags Flags);
}

using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Whp;

/// <summary>Guest physical memory.</summary>
internal sealed partial class SimulatedPartition
{
    private const uint ReadFlag = 1;
    private const uint WriteFlag = 2;
    private const uint ExecuteFlag = 4;
    private const ulong PageMask = 0xFFF;

    private readonly List<Range> _ranges = [];
    private uint _nextSlot;

    private sealed record Range(ulong First, ulong Size, SimulatedProcess? Process, ulong Source, uint Flags, uint Slot);

    public int RangeCount => _ranges.Count;

    /// <summary>Whether memory of a process is mapped; null for this process.</summary>
    public bool Maps(object? process)
    {
        lock (_ranges)
        {
            foreach (Range range in _ranges)
            {
                if (range.Process == process)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether something is mapped at a guest physical address.</summary>
    public bool IsMapped(ulong address) => _ranges.Exists(r => address >= r.First && address - r.First < r.Size);

    /// <summary>WHvMapGpaRange and WHvMapGpaRange2.</summary>
    public int Map(SimulatedProcess? process, ulong source, ulong first, ulong size, uint flags)
    {
        if (!HasProcessor || size == 0 || ((first | size | source) & PageMask) != 0
            || (flags & ReadFlag) == 0 || (flags & ~(ReadFlag | WriteFlag | ExecuteFlag)) != 0)
        {
            return SimulatedResults.InvalidArgument;
        }

        if (_ranges.Exists(r => first < r.First + r.Size && r.First < first + size))
        {
            platform.Violations.Add($"0x{first:X} is mapped already");
            return SimulatedResults.InvalidArgument;
        }

        if (platform.Windows.FindView(process, source, size) is { } view)
        {
            if (view.IsInaccessible(source, size) || ((flags & WriteFlag) != 0 && !view.IsWritable))
            {
                return SimulatedResults.AccessDenied;
            }

            if (!view.HasGuards)
            {
                platform.Violations.Add($"memory at 0x{source:X} without guard pages");
            }
        }
        else if (process is not null)
        {
            // Memory of this process may be of any kind; that of a surrogate is a view.
            return SimulatedResults.InvalidArgument;
        }

        Range range = new(first, size, process, source, flags, _nextSlot++);
        lock (_ranges)
        {
            _ranges.Add(range);
        }

        MapIntoProcessor(range);
        return SimulatedResults.Ok;
    }

    /// <summary>WHvUnmapGpaRange of exactly a range.</summary>
    public int Unmap(ulong first, ulong size)
    {
        Range? range = _ranges.Find(r => r.First == first && r.Size == size);
        if (range is null)
        {
            return SimulatedResults.GpaRangeNotFound;
        }

        Remove(range);
        return SimulatedResults.Ok;
    }

    /// <summary>A process has ended: what it hosted is gone, for a guest that runs too.</summary>
    public void LoseMemoryOf(object process) => _ranges.FindAll(r => r.Process == process).ForEach(Remove);

    /// <summary>A view is about to be unmapped: guests must not have it.</summary>
    public void CheckUnmapping(object? process, ulong address, ulong size)
    {
        if (_ranges.Exists(r => r.Process == process && r.Source < address + size && address < r.Source + r.Size))
        {
            platform.Violations.Add($"the view at 0x{address:X} was unmapped while a partition maps it");
        }
    }

    /// <summary>Copies guest physical memory.</summary>
    public unsafe bool TryRead(ulong address, Span<byte> destination)
    {
        foreach (Range range in _ranges)
        {
            if (address >= range.First && address - range.First <= range.Size - (ulong)destination.Length)
            {
                new ReadOnlySpan<byte>((byte*)range.Source + (address - range.First), destination.Length).CopyTo(destination);
                return true;
            }
        }

        return false;
    }

    private void Remove(Range range)
    {
        Processor!.Pause();
        Processor.Machine.UnmapMemory(range.Slot);
        Processor.Resume();
        lock (_ranges)
        {
            _ranges.Remove(range);
        }
    }

    private void MapIntoProcessor(Range range)
    {
        MemoryFlags flags = MemoryFlags.Read
            | ((range.Flags & WriteFlag) != 0 ? MemoryFlags.Write : 0)
            | ((range.Flags & ExecuteFlag) != 0 ? MemoryFlags.Execute : 0);
        using HostMemoryRegion memory = HostMemoryRegion.FromPointer((nint)range.Source, (nuint)range.Size);
        Processor!.Pause();
        Processor.Machine.MapMemory(range.Slot, GuestMapping.Whole(range.First, memory, flags));
        Processor.Resume();
    }
}

namespace Hyperlight.Host.Elf;

/// <summary>The PT_LOAD segments of a file, in ascending order of address and without overlap.</summary>
internal sealed class ElfSegments
{
    private readonly ElfSegment[] _segments;

    /// <exception cref="GuestBinaryException">There are none, or they overlap, in memory or in the file.</exception>
    public ElfSegments(ElfReader elf, IReadOnlyCollection<ElfSegment> segments)
    {
        if (segments.Count == 0)
        {
            throw elf.Invalid("it has no loadable segment (PT_LOAD).");
        }

        _segments = [.. segments];
        ulong fileSize = _segments[0].FileSize;
        for (int i = 1; i < _segments.Length; i++)
        {
            if (_segments[i].VirtualAddress < _segments[i - 1].End)
            {
                throw elf.Invalid(
                    $"its segments overlap or are not in ascending order: one at 0x{_segments[i].VirtualAddress:X} follows one that ends at 0x{_segments[i - 1].End:X}.");
            }

            fileSize += _segments[i].FileSize;
        }

        // Otherwise a small file could fill all of a guest's memory, again and again with the same bytes.
        if (fileSize > (ulong)elf.Length)
        {
            throw elf.Invalid($"its segments overlap in the file: they take {fileSize} bytes of {elf.Length}.");
        }
    }

    /// <summary>Link-time address of the first segment.</summary>
    public ulong Start => _segments[0].VirtualAddress;

    /// <summary>Link-time address after the last segment.</summary>
    public ulong End => _segments[^1].End;

    public ReadOnlySpan<ElfSegment> All => _segments;

    /// <summary>Whether an address range lies between the first segment's start and the last one's end.</summary>
    public bool Contains(ulong address, ulong size) => address >= Start && address <= End && size <= End - address;

    /// <summary>
    /// Finds bytes of the file by their link-time address.
    /// </summary>
    /// <returns>Whether one segment holds all of them in its part that is in the file.</returns>
    public bool TryGetFileOffset(ulong address, ulong size, out ulong offset)
    {
        int index = Find(address);
        if (index < 0)
        {
            offset = 0;
            return false;
        }

        ref readonly ElfSegment segment = ref _segments[index];
        ulong position = address - segment.VirtualAddress;
        offset = segment.FileOffset + position;
        return position <= segment.FileSize && size <= segment.FileSize - position;
    }

    /// <summary>The last segment that starts at or below an address; -1 if none does.</summary>
    private int Find(ulong address)
    {
        int low = 0;
        int high = _segments.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_segments[middle].VirtualAddress <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }
}

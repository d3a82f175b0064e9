using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>Reads the program headers: the segments to load and the dynamic section.</summary>
internal static class ElfProgramHeaders
{
    /// <summary>All PT_LOAD segments, in ascending order of address and without overlap.</summary>
    public static ElfSegment[] ReadSegments(ElfReader elf, ElfHeader header)
    {
        var segments = new List<ElfSegment>();
        for (int i = 0; i < header.ProgramHeaderCount; i++)
        {
            ulong at = header.ProgramHeaders + ((ulong)i * PhdrSize);
            if (elf.UInt32(at, "a program header") == PT_LOAD)
            {
                segments.Add(ReadSegment(elf, at));
            }
        }

        if (segments.Count == 0)
        {
            throw elf.Invalid("it has no loadable segment (PT_LOAD).");
        }

        for (int i = 1; i < segments.Count; i++)
        {
            if (segments[i].VirtualAddress < segments[i - 1].End)
            {
                throw elf.Invalid(
                    $"its segments overlap or are not in ascending order: one at 0x{segments[i].VirtualAddress:X} follows one that ends at 0x{segments[i - 1].End:X}.");
            }
        }

        return [.. segments];
    }

    /// <summary>The bytes of the dynamic section, empty if there is none.</summary>
    public static ReadOnlySpan<byte> FindDynamic(ElfReader elf, ElfHeader header)
    {
        for (int i = 0; i < header.ProgramHeaderCount; i++)
        {
            ulong at = header.ProgramHeaders + ((ulong)i * PhdrSize);
            if (elf.UInt32(at, "a program header") == PT_DYNAMIC)
            {
                return elf.Slice(elf.UInt64(at + 8, "p_offset"), elf.UInt64(at + 32, "p_filesz"), "the dynamic section");
            }
        }

        return default;
    }

    private static ElfSegment ReadSegment(ElfReader elf, ulong at)
    {
        var segment = new ElfSegment(
            elf.UInt64(at + 8, "p_offset"), elf.UInt64(at + 32, "p_filesz"), elf.UInt64(at + 16, "p_vaddr"), elf.UInt64(at + 40, "p_memsz"));
        _ = elf.Slice(segment.FileOffset, segment.FileSize, "a segment's content");
        if (segment.FileSize > segment.MemorySize)
        {
            throw elf.Invalid(
                $"the segment at 0x{segment.VirtualAddress:X} has {segment.FileSize} bytes in the file but only {segment.MemorySize} in memory.");
        }

        if (segment.MemorySize > ulong.MaxValue - segment.VirtualAddress)
        {
            throw elf.Invalid($"the segment at 0x{segment.VirtualAddress:X} of {segment.MemorySize} bytes wraps around the address space.");
        }

        return segment;
    }
}

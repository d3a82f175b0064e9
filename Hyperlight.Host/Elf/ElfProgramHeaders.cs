using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>Reads the program headers: the segments to load and the dynamic section.</summary>
internal readonly ref struct ElfProgramHeaders
{
    private ElfProgramHeaders(ElfSegments segments, ReadOnlySpan<byte> dynamic)
    {
        Segments = segments;
        Dynamic = dynamic;
    }

    /// <summary>All PT_LOAD segments.</summary>
    public ElfSegments Segments { get; }

    /// <summary>The bytes of the dynamic section, empty if there is none.</summary>
    public ReadOnlySpan<byte> Dynamic { get; }

    /// <exception cref="GuestBinaryException">A segment is malformed, or of a kind that cannot be loaded.</exception>
    public static ElfProgramHeaders Read(ElfReader elf, ElfHeader header)
    {
        var segments = new List<ElfSegment>();
        ReadOnlySpan<byte> dynamic = default;
        for (int i = 0; i < header.ProgramHeaderCount; i++)
        {
            elf.Step();
            ulong at = header.ProgramHeaders + ((ulong)i * PhdrSize);
            switch (elf.UInt32(at, "a program header"))
            {
                case PT_LOAD:
                    segments.Add(ReadSegment(elf, at));
                    break;

                case PT_DYNAMIC when dynamic.IsEmpty:
                    dynamic = elf.Slice(elf.UInt64(at + 8, "p_offset"), elf.UInt64(at + 32, "p_filesz"), "the dynamic section");
                    break;

                // The guest ABI starts a guest with an FS base of zero, and guest runtimes load FS: there is no place from
                // which a guest would find its block.
                case PT_TLS when elf.UInt64(at + 40, "p_memsz") != 0:
                    throw elf.Invalid(
                        "it has thread-local variables (PT_TLS), and the guest ABI has no thread-local storage. "
                        + "Make them ordinary variables: a guest has one thread.");

                default:
                    break;
            }
        }

        return new ElfProgramHeaders(new ElfSegments(elf, segments), dynamic);
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

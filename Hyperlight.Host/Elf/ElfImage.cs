using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Elf;

/// <summary>A parsed and validated guest: what to load, at which address it starts, and where it is entered.</summary>
internal sealed class ElfImage
{
    private readonly ReadOnlyMemory<byte> _file;
    private readonly ElfSegment[] _segments;
    private readonly ElfRelocation[] _relocations;

    private ElfImage(ReadOnlyMemory<byte> file, ElfSegment[] segments, ElfRelocation[] relocations, ulong entryOffset, string? version)
    {
        _file = file;
        _segments = segments;
        _relocations = relocations;
        EntryOffset = entryOffset;
        Version = version;
    }

    /// <summary>Bytes from the first segment's start to the last one's end, not rounded.</summary>
    public ulong LoadedSize => _segments[^1].End - BaseAddress;

    /// <summary>The entry point's distance from the start of the image.</summary>
    public ulong EntryOffset { get; }

    /// <summary>The version note, if there is one.</summary>
    public string? Version { get; }

    private ulong BaseAddress => _segments[0].VirtualAddress;

    /// <summary>Parses and validates a file.</summary>
    /// <exception cref="GuestBinaryException">The file is not a guest that can be loaded.</exception>
    public static ElfImage Parse(ReadOnlyMemory<byte> file, string source)
    {
        var elf = new ElfReader(file.Span, source);
        ElfHeader header = ElfHeader.Parse(elf);
        ElfSegment[] segments = ElfProgramHeaders.ReadSegments(elf, header);
        ElfRelocation[] relocations = ElfRelocations.Read(elf, header, segments);
        if (header.Entry < segments[0].VirtualAddress || header.Entry >= segments[^1].End)
        {
            throw elf.Invalid($"its entry point 0x{header.Entry:X} lies outside the image.");
        }

        return new ElfImage(
            file, segments, relocations, header.Entry - segments[0].VirtualAddress, ElfVersionNote.Read(elf, header));
    }

    /// <summary>Writes the image into zero-filled memory and relocates it.</summary>
    /// <param name="memory">Receives the image from its first byte on; at least <see cref="LoadedSize"/> bytes.</param>
    /// <param name="loadAddress">The guest address of the memory's first byte.</param>
    public void Load(IMemoryRegion memory, ulong loadAddress)
    {
        foreach (ElfSegment segment in _segments)
        {
            memory.Write(
                (nuint)(segment.VirtualAddress - BaseAddress),
                _file.Span.Slice((int)segment.FileOffset, (int)segment.FileSize));
        }

        // Addresses are relative to the image's own base, so that images linked elsewhere than at zero load right too.
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        foreach (ElfRelocation relocation in _relocations)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, loadAddress + relocation.Addend - BaseAddress);
            memory.Write((nuint)(relocation.Address - BaseAddress), word);
        }
    }
}

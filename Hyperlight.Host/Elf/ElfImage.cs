using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Elf;

/// <summary>A parsed and validated guest: what to load, at which address it starts, and where it is entered.</summary>
internal sealed class ElfImage
{
    private readonly ReadOnlyMemory<byte> _file;
    private readonly ElfSegments _segments;
    private readonly ElfRelocation[] _relocations;
    private readonly ulong _baseAddress;

    private ElfImage(
        ReadOnlyMemory<byte> file, ElfSegments segments, ElfRelocation[] relocations, ulong baseAddress, ulong entry, string? version)
    {
        _file = file;
        _segments = segments;
        _relocations = relocations;
        _baseAddress = baseAddress;
        EntryOffset = entry - baseAddress;
        Version = version;
    }

    /// <summary>Bytes from the start of the image to the last segment's end, not rounded.</summary>
    public ulong LoadedSize => _segments.End - _baseAddress;

    /// <summary>
    /// Bytes below the page of the first segment, which hold nothing. Zero unless the image is linked at a fixed address.
    /// </summary>
    public ulong UnusedSize => RoundDown(_segments.Start) - _baseAddress;

    /// <summary>The entry point's distance from the start of the image.</summary>
    public ulong EntryOffset { get; }

    /// <summary>The version note, if there is one.</summary>
    public string? Version { get; }

    /// <summary>Parses and validates a file.</summary>
    /// <param name="file">The file's bytes, which must not change any more.</param>
    /// <param name="source">The file's path, or the name that was given instead.</param>
    /// <param name="parsing">Counts what is done, and ends it.</param>
    /// <exception cref="GuestBinaryException">The file is not a guest that can be loaded.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ElfImage Parse(ReadOnlyMemory<byte> file, string source, ElfParsing parsing)
    {
        var elf = new ElfReader(file.Span, source, parsing);
        ElfHeader header = ElfHeader.Parse(elf);
        ElfProgramHeaders headers = ElfProgramHeaders.Read(elf, header);
        ElfSegments segments = headers.Segments;
        ulong baseAddress = header.IsFixed ? CheckFixed(elf, segments) : RoundDown(segments.Start);
        ElfRelocation[] relocations = ElfRelocations.Read(elf, headers);
        if (!segments.Contains(header.Entry, 1))
        {
            throw elf.Invalid($"its entry point 0x{header.Entry:X} lies outside the image.");
        }

        return new ElfImage(file, segments, relocations, baseAddress, header.Entry, ElfVersionNote.Read(elf, header));
    }

    /// <summary>Writes the image into zero-filled memory and relocates it.</summary>
    /// <param name="memory">Receives the image from its first byte on; at least <see cref="LoadedSize"/> bytes.</param>
    /// <param name="loadAddress">The guest address of the memory's first byte.</param>
    public void Load(IMemoryRegion memory, ulong loadAddress)
    {
        foreach (ElfSegment segment in _segments.All)
        {
            memory.Write(
                (nuint)(segment.VirtualAddress - _baseAddress),
                _file.Span.Slice((int)segment.FileOffset, (int)segment.FileSize));
        }

        // Addresses are relative to the image's own base, so that images linked elsewhere than at zero load right too.
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        foreach (ElfRelocation relocation in _relocations)
        {
            ulong value = relocation.IsAddress ? loadAddress + relocation.Value - _baseAddress : relocation.Value;
            BinaryPrimitives.WriteUInt64LittleEndian(word, value);
            memory.Write((nuint)(relocation.Address - _baseAddress), word);
        }
    }

    /// <summary>An address of the loaded image as the file has it, with the function's name if the file has symbols.</summary>
    /// <param name="address">A guest virtual address.</param>
    /// <param name="loadAddress">The guest address of the image's first byte.</param>
    /// <returns>Such as <c>0x1174 in main+0x12</c>; <see langword="null"/> if the address is not in the image.</returns>
    public string? Describe(ulong address, ulong loadAddress)
    {
        if (address < loadAddress || address - loadAddress >= LoadedSize)
        {
            return null;
        }

        ulong linked = address - loadAddress + _baseAddress;
        return FindSymbol(linked) is { } symbol ? $"0x{linked:x} in {symbol}" : $"0x{linked:x}";
    }

    /// <summary>The symbol of a link-time address. A malformed table of symbols is as good as none: nothing but messages needs it.</summary>
    private string? FindSymbol(ulong address)
    {
        var elf = new ElfReader(_file.Span, string.Empty, new ElfParsing());
        try
        {
            return ElfSymbolTable.Find(elf, ElfHeader.Parse(elf), address);
        }
        catch (GuestBinaryException)
        {
            return null;
        }
    }

    /// <summary>A program that runs only where it was linked is loaded there: its image starts where every image does.</summary>
    /// <returns>The link-time address of the image's first byte.</returns>
    private static ulong CheckFixed(ElfReader elf, ElfSegments segments)
    {
        if (segments.Start < GuestAddresses.ImageBase)
        {
            throw elf.Invalid(
                $"it is linked at the fixed address 0x{segments.Start:X}, and guest memory starts at 0x{GuestAddresses.ImageBase:X}. "
                + "Link it as a static PIE (-pie), or at a higher address.");
        }

        if (segments.End - GuestAddresses.ImageBase > GuestAddresses.MaximumImageSize)
        {
            throw elf.Invalid(
                $"it is linked at the fixed address 0x{segments.Start:X}, and guest memory ends at "
                + $"0x{GuestAddresses.ImageBase + GuestAddresses.MaximumImageSize:X}. Link it as a static PIE (-pie), or at a lower address.");
        }

        return GuestAddresses.ImageBase;
    }

    private static ulong RoundDown(ulong address) => address & ~(ulong)(GuestPage.Size - 1);
}

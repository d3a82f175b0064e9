using System.Buffers.Binary;
using System.Text;
using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>Reads the note by which a guest says which version of the guest ABI it was built for.</summary>
internal static class ElfVersionNote
{
    private const int NoteHeaderSize = 12;
    private const int NoteAlignment = 8;
    private const uint NoteType = 1;

    private static ReadOnlySpan<byte> SectionName => ".note.hyperlight-version"u8;

    private static ReadOnlySpan<byte> NoteName => "Hyperlight\0"u8;

    /// <summary>The version, or <see langword="null"/> if there is no note.</summary>
    public static string? Read(ElfReader elf, ElfHeader header)
    {
        if (header.SectionHeaderCount == 0 || header.SectionNameIndex >= header.SectionHeaderCount)
        {
            return null;
        }

        ReadOnlySpan<byte> names = Content(elf, SectionAt(header, header.SectionNameIndex));
        for (int i = 0; i < header.SectionHeaderCount; i++)
        {
            elf.Step();
            ulong at = SectionAt(header, i);
            uint name = elf.UInt32(at, "a section header");
            if (elf.UInt32(at + 4, "sh_type") == SHT_NOTE && NameEquals(names, name) && Parse(elf, Content(elf, at)) is { } version)
            {
                return version;
            }
        }

        return null;
    }

    private static ulong SectionAt(ElfHeader header, int index) => header.SectionHeaders + ((ulong)index * ShdrSize);

    private static ReadOnlySpan<byte> Content(ElfReader elf, ulong sectionHeader) => elf.Slice(
        elf.UInt64(sectionHeader + 24, "sh_offset"), elf.UInt64(sectionHeader + 32, "sh_size"), "a section's content");

    private static bool NameEquals(ReadOnlySpan<byte> names, uint offset) =>
        offset < names.Length
        && names[(int)offset..].StartsWith(SectionName)
        && names.Length - (int)offset > SectionName.Length
        && names[(int)offset + SectionName.Length] == 0;

    private static string? Parse(ElfReader elf, ReadOnlySpan<byte> notes)
    {
        while (notes.Length >= NoteHeaderSize)
        {
            elf.Step();
            uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(notes);
            uint descriptorSize = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            ulong descriptor = Align(NoteHeaderSize + (ulong)nameSize);
            ulong end = descriptor + descriptorSize;
            if (end > (ulong)notes.Length)
            {
                return null;
            }

            if (type == NoteType && notes.Slice(NoteHeaderSize, (int)nameSize).SequenceEqual(NoteName))
            {
                return Decode(notes.Slice((int)descriptor, (int)descriptorSize));
            }

            notes = notes[(int)Math.Min(Align(end), (ulong)notes.Length)..];
        }

        return null;
    }

    private static ulong Align(ulong value) => (value + NoteAlignment - 1) & ~(ulong)(NoteAlignment - 1);

    private static string? Decode(ReadOnlySpan<byte> descriptor)
    {
        ReadOnlySpan<byte> text = descriptor.TrimEnd((byte)0);
        return System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : null;
    }
}

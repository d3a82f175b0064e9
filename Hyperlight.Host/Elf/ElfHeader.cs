using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>The file header, checked to be that of an x86-64 program.</summary>
/// <param name="IsFixed">Whether the program runs only where it was linked (ET_EXEC).</param>
/// <param name="Entry">Link-time address of the entry point.</param>
/// <param name="ProgramHeaders">File offset of the program headers.</param>
/// <param name="ProgramHeaderCount">How many program headers there are.</param>
/// <param name="SectionHeaders">File offset of the section headers.</param>
/// <param name="SectionHeaderCount">How many section headers there are.</param>
/// <param name="SectionNameIndex">Which section holds the names of the sections.</param>
internal readonly record struct ElfHeader(
    bool IsFixed, ulong Entry, ulong ProgramHeaders, int ProgramHeaderCount, ulong SectionHeaders, int SectionHeaderCount, int SectionNameIndex)
{
    private static ReadOnlySpan<byte> Magic => [0x7F, (byte)'E', (byte)'L', (byte)'F'];

    public static ElfHeader Parse(ElfReader elf)
    {
        if (elf.Length == 0)
        {
            throw elf.Invalid("it is empty.");
        }

        if (elf.Length < Magic.Length || !elf.Slice(0, 4, "magic").SequenceEqual(Magic))
        {
            throw elf.Invalid("it is not an ELF file.");
        }

        ReadOnlySpan<byte> header = elf.Slice(0, EhdrSize, "the ELF header");
        if (header[4] != ELFCLASS64)
        {
            throw elf.Invalid($"its ELF class is {header[4]}, but a 64-bit guest (class {ELFCLASS64}) is needed.");
        }

        if (header[5] != ELFDATA2LSB)
        {
            throw elf.Invalid($"its data encoding is {header[5]}, but little-endian ({ELFDATA2LSB}) is needed.");
        }

        ushort machine = elf.UInt16(18, "e_machine");
        if (machine != EM_X86_64)
        {
            throw elf.Invalid($"it is built for machine {machine}, but x86-64 ({EM_X86_64}) is needed.");
        }

        ushort type = elf.UInt16(16, "e_type");
        if (type is not (ET_EXEC or ET_DYN))
        {
            throw elf.Invalid($"its ELF type is {type}, but an executable ({ET_EXEC}) or position-independent executable ({ET_DYN}) is needed.");
        }

        ushort phentsize = elf.UInt16(54, "e_phentsize");
        ushort phnum = elf.UInt16(56, "e_phnum");
        if (phnum != 0 && phentsize != PhdrSize)
        {
            throw elf.Invalid($"its program headers have {phentsize} bytes each, not {PhdrSize}.");
        }

        if (phnum == PN_XNUM)
        {
            throw elf.Invalid($"it has {PN_XNUM} or more program headers.");
        }

        ushort shentsize = elf.UInt16(58, "e_shentsize");
        ushort shnum = elf.UInt16(60, "e_shnum");
        if (shnum != 0 && shentsize != ShdrSize)
        {
            throw elf.Invalid($"its section headers have {shentsize} bytes each, not {ShdrSize}.");
        }

        return new ElfHeader(
            type == ET_EXEC, elf.UInt64(24, "e_entry"), elf.UInt64(32, "e_phoff"), phnum, elf.UInt64(40, "e_shoff"), shnum, elf.UInt16(62, "e_shstrndx"));
    }
}

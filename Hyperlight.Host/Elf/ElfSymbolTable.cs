using System.Buffers.Binary;
using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>
/// Finds the function or object that an address belongs to, in the section <c>.symtab</c> or else <c>.dynsym</c>. Used for
/// messages only: a guest does not have to have symbols.
/// </summary>
internal static class ElfSymbolTable
{
    /// <summary>How many symbols are looked at; a guest with more has no names.</summary>
    private const ulong MaxSymbols = 1 << 20;

    /// <summary>The name and the distance from its start, such as <c>main+0x12</c>.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="address">A link-time address.</param>
    /// <returns>The name, or <see langword="null"/> if no symbol has the address.</returns>
    /// <exception cref="GuestBinaryException">The symbol table is malformed.</exception>
    public static string? Find(ElfReader elf, ElfHeader header, ulong address)
    {
        if (FindSection(elf, header) is not { } section)
        {
            return null;
        }

        ulong table = elf.UInt64(section + 24, "sh_offset");
        ulong count = elf.UInt64(section + 32, "sh_size") / SymSize;
        ReadOnlySpan<byte> symbols = count <= MaxSymbols ? elf.Slice(table, count * SymSize, "a symbol table") : [];
        Symbol? nearest = null;
        for (int at = 0; at < symbols.Length; at += SymSize)
        {
            elf.Step();
            var symbol = Symbol.Read(symbols.Slice(at, SymSize));
            if (symbol.Value <= address && symbol.HasCodeOrData && (nearest is not { } best || symbol.IsBetterThan(best)))
            {
                nearest = symbol;
            }
        }

        // A symbol without a size, as assembler code has, ends where the next one starts.
        return nearest is { } found && (found.Size == 0 || address - found.Value < found.Size)
            ? $"{Name(elf, header, section, found)}+0x{address - found.Value:x}"
            : null;
    }

    /// <summary>The header of the section with the symbols.</summary>
    private static ulong? FindSection(ElfReader elf, ElfHeader header)
    {
        ulong? dynamicSymbols = null;
        for (int i = 0; i < header.SectionHeaderCount; i++)
        {
            elf.Step();
            ulong at = SectionAt(header, (uint)i);
            uint type = elf.UInt32(at + 4, "sh_type");
            if (type == SHT_SYMTAB)
            {
                return at;
            }

            dynamicSymbols ??= type == SHT_DYNSYM ? at : null;
        }

        return dynamicSymbols;
    }

    private static string Name(ElfReader elf, ElfHeader header, ulong section, Symbol symbol)
    {
        uint link = elf.UInt32(section + 40, "sh_link");
        if (link >= header.SectionHeaderCount)
        {
            throw elf.Invalid("its symbol table has no names.");
        }

        ulong strings = SectionAt(header, link);
        return ElfName.Read(elf, elf.UInt64(strings + 24, "sh_offset"), elf.UInt64(strings + 32, "sh_size"), symbol.Name);
    }

    private static ulong SectionAt(ElfHeader header, uint index) => header.SectionHeaders + ((ulong)index * ShdrSize);

    private readonly record struct Symbol(uint Name, int Type, ushort Section, ulong Value, ulong Size)
    {
        /// <summary>Whether it names something in the image, and not a file, a section or a constant.</summary>
        public bool HasCodeOrData =>
            Type is STT_NOTYPE or STT_OBJECT or STT_FUNC or STT_GNU_IFUNC && Section is not SHN_UNDEF and < SHN_LORESERVE && Name != 0;

        public static Symbol Read(ReadOnlySpan<byte> entry) => new(
            BinaryPrimitives.ReadUInt32LittleEndian(entry),
            entry[4] & 0xF,
            BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]),
            BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]));

        /// <summary>The one that starts later is nearer; of two at one address the function, or the one with a size.</summary>
        public bool IsBetterThan(Symbol other) => Value != other.Value
            ? Value > other.Value
            : (Type == STT_FUNC, Size > 0).CompareTo((other.Type == STT_FUNC, other.Size > 0)) > 0;
    }
}

using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>Resolves the symbols that relocations refer to. A static program defines all that it uses.</summary>
internal static class ElfSymbols
{
    /// <summary>The value of a symbol.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="segments">Its segments.</param>
    /// <param name="dynamic">Its dynamic section.</param>
    /// <param name="index">The symbol's index; 0 is the symbol without a name, whose value is 0.</param>
    /// <returns>The value, and whether it is a link-time address, which moves with the image.</returns>
    /// <exception cref="GuestBinaryException">The symbol is missing, or its value is known only to a dynamic linker.</exception>
    public static (ulong Value, bool IsAddress) Resolve(ElfReader elf, ElfSegments segments, ElfDynamic dynamic, uint index)
    {
        if (index == 0)
        {
            return (0, false);
        }

        ulong address = dynamic.Symbols + ((ulong)index * SymSize);
        if (dynamic.Symbols == 0 || !segments.TryGetFileOffset(address, SymSize, out ulong at))
        {
            throw elf.Invalid($"a relocation refers to symbol {index}, which it does not have.");
        }

        uint info = elf.UInt32(at + 4, "st_info");
        int type = (int)(info & 0xF);
        int binding = (int)((info >> 4) & 0xF);
        ushort section = (ushort)(info >> 16);
        ulong value = elf.UInt64(at + 8, "st_value");
        string Quoted(ElfReader file) => $"'{Name(file, segments, dynamic.Strings, file.UInt32(at, "st_name"))}'";
        return (type, section) switch
        {
            (STT_TLS, _) => throw elf.Invalid($"it uses the thread-local variable {Quoted(elf)}, and the guest ABI has no thread-local storage."),
            (STT_GNU_IFUNC, _) => throw elf.Invalid(
                $"it uses {Quoted(elf)}, which guest code would have to choose an implementation of (STT_GNU_IFUNC) before it runs."),
            (_, SHN_UNDEF) when binding == STB_WEAK => (0, false),
            (_, SHN_UNDEF) => throw elf.Invalid($"it uses {Quoted(elf)}, which is not defined. Link it statically, and with everything it needs."),
            (_, SHN_ABS) => (value, false),
            (_, >= SHN_LORESERVE) => throw elf.Invalid($"its symbol {Quoted(elf)} is in the unknown section 0x{section:X}."),
            _ => (value, true),
        };
    }

    /// <summary>A name in the table of strings, for messages: printable, and not longer than one line.</summary>
    public static string Name(ElfReader elf, ElfSegments segments, ElfTable strings, ulong offset)
    {
        if (offset >= strings.Size || !segments.TryGetFileOffset(strings.Address, strings.Size, out ulong at))
        {
            return "?";
        }

        return ElfName.Read(elf, at, strings.Size, offset);
    }
}

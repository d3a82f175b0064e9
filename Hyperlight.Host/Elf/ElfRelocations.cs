using System.Buffers.Binary;
using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>A 64-bit word of the image that the loader writes.</summary>
/// <param name="Address">Link-time address of the word.</param>
/// <param name="Value">What it holds.</param>
/// <param name="IsAddress">Whether the value is a link-time address, which moves with the image.</param>
internal readonly record struct ElfRelocation(ulong Address, ulong Value, bool IsAddress);

/// <summary>
/// Reads the relocations of all tables. What is well defined for a static program becomes a list of words; whatever needs a
/// dynamic linker, thread-local storage, or code of the guest that runs before the guest does, is refused by its name.
/// </summary>
internal static class ElfRelocations
{
    public static ElfRelocation[] Read(ElfReader elf, ElfProgramHeaders headers)
    {
        ElfSegments segments = headers.Segments;
        ElfDynamic dynamic = ElfDynamic.Read(elf, segments, headers.Dynamic);
        var relocations = new List<ElfRelocation>();
        ReadRelr(elf, segments, dynamic.Relr, relocations);
        RejectRel(elf, segments, dynamic.Rel);
        ReadRela(elf, segments, dynamic, dynamic.Rela, relocations);
        if (dynamic.IsPltRela)
        {
            ReadRela(elf, segments, dynamic, dynamic.Plt, relocations);
        }
        else
        {
            RejectRel(elf, segments, dynamic.Plt);
        }

        return [.. relocations];
    }

    /// <summary>
    /// RELR: words that hold link-time addresses already. An even entry is the address of one; an odd entry has a bit for
    /// each of the 63 words that follow the last one.
    /// </summary>
    private static void ReadRelr(ElfReader elf, ElfSegments segments, ElfTable location, List<ElfRelocation> relocations)
    {
        const int bits = (sizeof(ulong) * 8) - 1;
        ReadOnlySpan<byte> table = Table(elf, segments, location, RelrSize, "the RELR relocations");
        ulong next = 0;
        for (; table.Length >= RelrSize; table = table[RelrSize..])
        {
            elf.Step();
            ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(table);
            if ((entry & 1) == 0)
            {
                AddRelr(elf, segments, next, entry, relocations);
                next = entry + sizeof(ulong);
                continue;
            }

            for (int i = 0; i < bits; i++)
            {
                if ((entry >> (i + 1) & 1) != 0)
                {
                    AddRelr(elf, segments, next, next + ((ulong)i * sizeof(ulong)), relocations);
                }
            }

            next += bits * sizeof(ulong);
        }
    }

    /// <summary>The words ascend and are in the file, so that there are not more of them than the file could hold.</summary>
    private static void AddRelr(ElfReader elf, ElfSegments segments, ulong lowest, ulong address, List<ElfRelocation> relocations)
    {
        elf.Step();
        if (address < lowest || !segments.TryGetFileOffset(address, sizeof(ulong), out ulong offset))
        {
            throw elf.Invalid($"a RELR relocation at 0x{address:X} lies outside the image, or is not in ascending order.");
        }

        relocations.Add(new ElfRelocation(address, elf.UInt64(offset, "a relocated word"), IsAddress: true));
    }

    /// <summary>REL entries carry no addend; the x86-64 psABI uses entries with addends alone.</summary>
    private static void RejectRel(ElfReader elf, ElfSegments segments, ElfTable location)
    {
        ReadOnlySpan<byte> table = Table(elf, segments, location, RelSize, "the REL relocations");
        for (; table.Length >= RelSize; table = table[RelSize..])
        {
            elf.Step();
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
            if (type != R_X86_64_NONE)
            {
                throw elf.Invalid($"it has a relocation {ElfRelocationNames.Of(type)} without an addend (DT_REL).");
            }
        }
    }

    private static void ReadRela(
        ElfReader elf, ElfSegments segments, ElfDynamic dynamic, ElfTable location, List<ElfRelocation> relocations)
    {
        ReadOnlySpan<byte> table = Table(elf, segments, location, RelaSize, "the RELA relocations");
        for (; table.Length >= RelaSize; table = table[RelaSize..])
        {
            elf.Step();
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(table);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
            uint symbol = BinaryPrimitives.ReadUInt32LittleEndian(table[12..]);
            ulong addend = BinaryPrimitives.ReadUInt64LittleEndian(table[16..]);
            if (type == R_X86_64_NONE)
            {
                continue;
            }

            if (!segments.Contains(address, sizeof(ulong)))
            {
                throw elf.Invalid($"a relocation at 0x{address:X} lies outside the image.");
            }

            relocations.Add(ToWord(elf, segments, dynamic, address, type, symbol, addend));
        }
    }

    private static ElfRelocation ToWord(
        ElfReader elf, ElfSegments segments, ElfDynamic dynamic, ulong address, uint type, uint symbol, ulong addend)
    {
        switch (type)
        {
            case R_X86_64_RELATIVE:
                return new ElfRelocation(address, addend, IsAddress: true);

            case R_X86_64_64:
            case R_X86_64_GLOB_DAT:
            case R_X86_64_JUMP_SLOT:
                (ulong value, bool isAddress) = ElfSymbols.Resolve(elf, segments, dynamic, symbol);
                return new ElfRelocation(address, type == R_X86_64_64 ? value + addend : value, isAddress);

            default:
                throw elf.Invalid(
                    $"it has a relocation {ElfRelocationNames.Of(type)}, which cannot be applied before the guest runs. "
                    + "Link it as a static PIE, without thread-local variables and indirect functions.");
        }
    }

    /// <summary>The table's address is a link-time address; it is read from the segment that holds it.</summary>
    private static ReadOnlySpan<byte> Table(ElfReader elf, ElfSegments segments, ElfTable table, int entrySize, string what)
    {
        if (table.Size == 0)
        {
            return default;
        }

        if (table.Size % (uint)entrySize != 0)
        {
            throw elf.Invalid($"{what} have {table.Size} bytes, which is not a multiple of {entrySize}.");
        }

        return segments.TryGetFileOffset(table.Address, table.Size, out ulong offset)
            ? elf.Slice(offset, table.Size, what)
            : throw elf.Invalid($"{what} ({table.Size} bytes at address 0x{table.Address:X}) lie outside every segment.");
    }
}

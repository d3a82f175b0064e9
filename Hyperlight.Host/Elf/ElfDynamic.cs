using System.Buffers.Binary;
using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>A table of the dynamic section: its link-time address and its size in bytes.</summary>
internal readonly record struct ElfTable(ulong Address, ulong Size);

/// <summary>The tables that the dynamic section names, as far as a loader of a static program needs them.</summary>
internal sealed record ElfDynamic(ElfTable Rel, ElfTable Rela, ElfTable Relr, ElfTable Plt, bool IsPltRela, ElfTable Strings, ulong Symbols)
{
    /// <exception cref="GuestBinaryException">It asks for something that only a dynamic linker does, or has entries of an unknown size.</exception>
    public static ElfDynamic Read(ElfReader elf, ElfSegments segments, ReadOnlySpan<byte> section)
    {
        var values = new Dictionary<long, ulong>();
        for (; section.Length >= DynSize; section = section[DynSize..])
        {
            elf.Step();
            long tag = BinaryPrimitives.ReadInt64LittleEndian(section);
            if (tag == DT_NULL)
            {
                break;
            }

            // A library that is needed is named as often as there are libraries; the first one says enough.
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(section[8..]);
            if (tag != DT_NEEDED || !values.ContainsKey(tag))
            {
                values[tag] = value;
            }
        }

        ulong Value(long tag) => values.GetValueOrDefault(tag);
        var strings = new ElfTable(Value(DT_STRTAB), Value(DT_STRSZ));
        if (values.TryGetValue(DT_NEEDED, out ulong library))
        {
            throw elf.Invalid(
                $"it needs the shared library '{ElfSymbols.Name(elf, segments, strings, library)}', and guests have none. Link it statically.");
        }

        CheckEntrySize(elf, values, DT_RELENT, RelSize);
        CheckEntrySize(elf, values, DT_RELAENT, RelaSize);
        CheckEntrySize(elf, values, DT_RELRENT, RelrSize);
        CheckEntrySize(elf, values, DT_SYMENT, SymSize);
        if (values.ContainsKey(DT_ANDROID_REL) || values.ContainsKey(DT_ANDROID_RELA) || values.ContainsKey(DT_ANDROID_RELR))
        {
            throw elf.Invalid("its relocations are packed for Android. Link it without --pack-dyn-relocs=android.");
        }

        var plt = new ElfTable(Value(DT_JMPREL), Value(DT_PLTRELSZ));
        if (plt.Size != 0 && Value(DT_PLTREL) is not ((ulong)DT_RELA or (ulong)DT_REL))
        {
            throw elf.Invalid($"its relocations of procedures (DT_JMPREL) are of the unknown kind {Value(DT_PLTREL)}.");
        }

        return new ElfDynamic(
            new ElfTable(Value(DT_REL), Value(DT_RELSZ)),
            new ElfTable(Value(DT_RELA), Value(DT_RELASZ)),
            new ElfTable(Value(DT_RELR), Value(DT_RELRSZ)),
            plt,
            Value(DT_PLTREL) == (ulong)DT_RELA,
            strings,
            Value(DT_SYMTAB));
    }

    private static void CheckEntrySize(ElfReader elf, Dictionary<long, ulong> values, long tag, int size)
    {
        if (values.TryGetValue(tag, out ulong value) && value != (ulong)size)
        {
            string what = tag == DT_SYMENT ? "symbols" : "relocations";
            throw elf.Invalid($"its {what} have {value} bytes each, not {size}.");
        }
    }
}

using System.Buffers.Binary;
using static Hyperlight.Host.Elf.ElfConstants;

namespace Hyperlight.Host.Elf;

/// <summary>A 64-bit word of the image that holds an address: where it is and which address, both as linked.</summary>
/// <param name="Address">Link-time address of the word.</param>
/// <param name="Addend">Link-time address it holds.</param>
internal readonly record struct ElfRelocation(ulong Address, ulong Addend);

/// <summary>Reads the relocations of a position-independent image. Only R_X86_64_RELATIVE exists in a static one.</summary>
internal static class ElfRelocations
{
    public static ElfRelocation[] Read(ElfReader elf, ElfHeader header, ElfSegment[] segments)
    {
        ReadOnlySpan<byte> dynamic = ElfProgramHeaders.FindDynamic(elf, header);
        ulong rel = 0, relSize = 0, rela = 0, relaSize = 0;
        for (; dynamic.Length >= DynSize; dynamic = dynamic[DynSize..])
        {
            long tag = BinaryPrimitives.ReadInt64LittleEndian(dynamic);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(dynamic[8..]);
            switch (tag)
            {
                case DT_REL: rel = value; break;
                case DT_RELSZ: relSize = value; break;
                case DT_RELA: rela = value; break;
                case DT_RELASZ: relaSize = value; break;
                case DT_RELAENT when value != RelaSize:
                    throw elf.Invalid($"its relocations have {value} bytes each, not {RelaSize}.");
                case DT_NULL: dynamic = default; break;
                default: break;
            }

            if (dynamic.IsEmpty)
            {
                break;
            }
        }

        RejectRel(elf, segments, rel, relSize);
        return ReadRela(elf, segments, rela, relaSize);
    }

    /// <summary>REL entries carry no addend; R_X86_64_RELATIVE needs one, so anything but R_X86_64_NONE is refused.</summary>
    private static void RejectRel(ElfReader elf, ElfSegment[] segments, ulong address, ulong size)
    {
        ReadOnlySpan<byte> table = Table(elf, segments, address, size, "the REL relocations");
        for (; table.Length >= RelSize; table = table[RelSize..])
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
            if (type != R_X86_64_NONE)
            {
                throw type == R_X86_64_RELATIVE
                    ? elf.Invalid("it has a relative relocation without an addend.")
                    : Unsupported(elf, type);
            }
        }
    }

    private static ElfRelocation[] ReadRela(ElfReader elf, ElfSegment[] segments, ulong address, ulong size)
    {
        ReadOnlySpan<byte> table = Table(elf, segments, address, size, "the RELA relocations");
        var relocations = new List<ElfRelocation>(table.Length / RelaSize);
        for (; table.Length >= RelaSize; table = table[RelaSize..])
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(table);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
            ulong addend = BinaryPrimitives.ReadUInt64LittleEndian(table[16..]);
            if (type == R_X86_64_NONE)
            {
                continue;
            }

            if (type != R_X86_64_RELATIVE)
            {
                throw Unsupported(elf, type);
            }

            if (offset < segments[0].VirtualAddress || offset > segments[^1].End || segments[^1].End - offset < sizeof(ulong))
            {
                throw elf.Invalid($"a relocation at 0x{offset:X} lies outside the image.");
            }

            relocations.Add(new ElfRelocation(offset, addend));
        }

        return [.. relocations];
    }

    private static GuestBinaryException Unsupported(ElfReader elf, uint type) =>
        elf.Invalid($"it has a relocation of type {type}; only R_X86_64_RELATIVE ({R_X86_64_RELATIVE}) is supported. Link it as a static PIE.");

    /// <summary>The table's address is a link-time address; it is read from the segment that holds it.</summary>
    private static ReadOnlySpan<byte> Table(ElfReader elf, ElfSegment[] segments, ulong address, ulong size, string what)
    {
        if (size == 0)
        {
            return default;
        }

        foreach (ElfSegment segment in segments)
        {
            if (address >= segment.VirtualAddress && address - segment.VirtualAddress <= segment.FileSize
                && size <= segment.FileSize - (address - segment.VirtualAddress))
            {
                return elf.Slice(segment.FileOffset + (address - segment.VirtualAddress), size, what);
            }
        }

        throw elf.Invalid($"{what} ({size} bytes at address 0x{address:X}) lie outside every segment.");
    }
}

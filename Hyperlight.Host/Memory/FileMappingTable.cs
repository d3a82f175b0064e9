using System.Buffers.Binary;
using System.Text;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>
/// The optional table by which a guest finds its file mappings: a fifth descriptor behind the four of the process environment
/// block (how many entries, and where they are), and behind it room for the entries. All of it fits the block's page, which
/// the guest can only read, so the rest of the layout is the same with and without it.
/// </summary>
internal static class FileMappingTable
{
    public const int DescriptorOffset = ProcessEnvironmentBlock.Size;
    public const int EntriesOffset = DescriptorOffset + 0x10;
    public const int EntrySize = 80;
    private const int SizeOffset = 8;
    private const int LabelOffset = 16;

    public static void Write(IMemoryRegion image, GuestMemoryLayout layout, IEnumerable<SandboxMapping> mappings)
    {
        Span<byte> table = stackalloc byte[EntriesOffset - DescriptorOffset + (SandboxConfiguration.MaximumFileMappings * EntrySize)];
        table.Clear();
        ulong count = 0;
        Span<byte> entry = table[(EntriesOffset - DescriptorOffset)..];
        foreach (SandboxMapping mapping in mappings)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(entry, mapping.GuestAddress);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[SizeOffset..], mapping.Size);
            Encoding.UTF8.GetBytes(mapping.Label, entry.Slice(LabelOffset, MappingLabel.MaxBytes));
            entry = entry[EntrySize..];
            count++;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(table, count);
        BinaryPrimitives.WriteUInt64LittleEndian(table[8..], layout.PebAddress + EntriesOffset);
        image.Write((nuint)layout.PebOffset + DescriptorOffset, table);
    }
}

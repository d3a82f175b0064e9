using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>The host's bookkeeping in scratch memory, written whenever a sandbox's memory is made.</summary>
internal static class ScratchMetadata
{
    /// <summary>Distance of the exception stack's top from the end of scratch memory.</summary>
    public const ulong ExceptionStackTop = 0x30;

    // Distances from the end of scratch memory.
    private const ulong SizeField = 0x08;
    private const ulong AllocatorField = 0x10;
    private const ulong PageTableField = 0x18;
    private const ulong GenerationField = 0x20;

    public static void Write(IMemoryRegion scratch, GuestMemoryLayout layout, ReadOnlySpan<byte> pageTables, ulong generation)
    {
        WriteField(scratch, layout, SizeField, layout.ScratchSize);
        WriteField(scratch, layout, AllocatorField, layout.PageTableAddress + (ulong)pageTables.Length);
        WriteField(scratch, layout, PageTableField, layout.PageTableAddress);
        WriteField(scratch, layout, GenerationField, generation);
        scratch.Write((nuint)layout.PageTableOffset, pageTables);
    }

    private static void WriteField(IMemoryRegion scratch, GuestMemoryLayout layout, ulong distance, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        scratch.Write((nuint)(layout.ScratchSize - distance), bytes);
    }
}

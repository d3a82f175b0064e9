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
    private const ulong SeedField = 0x28;

    /// <summary>Marks a seed that the guest has not taken yet.</summary>
    private const ulong SeedPending = 1UL << 32;

    public static void Write(IMemoryRegion scratch, GuestMemoryLayout layout, ReadOnlySpan<byte> pageTables, ulong generation)
    {
        WriteField(scratch, layout, SizeField, layout.ScratchSize);
        WriteField(scratch, layout, AllocatorField, layout.PageTableAddress + (ulong)pageTables.Length);
        WriteField(scratch, layout, PageTableField, layout.PageTableAddress);
        WriteField(scratch, layout, GenerationField, generation);
        WriteField(scratch, layout, SeedField, 0);
        scratch.Write((nuint)layout.PageTableOffset, pageTables);
    }

    /// <summary>Leaves a seed for the guest's C runtime, which takes it and clears the field.</summary>
    public static void WriteSeed(IMemoryRegion scratch, GuestMemoryLayout layout, uint seed) =>
        WriteField(scratch, layout, SeedField, SeedPending | seed);

    private static void WriteField(IMemoryRegion scratch, GuestMemoryLayout layout, ulong distance, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        scratch.Write((nuint)(layout.ScratchSize - distance), bytes);
    }
}

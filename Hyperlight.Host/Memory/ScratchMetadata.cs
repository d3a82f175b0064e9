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
    private const ulong LogLevelField = 0x30;

    /// <summary>Marks a seed that the guest has not taken yet, and a log level that counts instead of the guest's first.</summary>
    private const ulong IsSet = 1UL << 32;

    public static void Write(IMemoryRegion scratch, GuestMemoryLayout layout, ReadOnlySpan<byte> pageTables, ulong generation)
    {
        WriteField(scratch, layout, SizeField, layout.ScratchSize);
        WriteField(scratch, layout, AllocatorField, layout.PageTableAddress + (ulong)pageTables.Length);
        WriteField(scratch, layout, PageTableField, layout.PageTableAddress);
        WriteField(scratch, layout, GenerationField, generation);
        WriteField(scratch, layout, SeedField, 0);
        WriteField(scratch, layout, LogLevelField, 0);
        scratch.Write((nuint)layout.PageTableOffset, pageTables);
    }

    /// <summary>Leaves a seed for the guest's C runtime, which takes it and clears the field.</summary>
    public static void WriteSeed(IMemoryRegion scratch, GuestMemoryLayout layout, uint seed) =>
        WriteField(scratch, layout, SeedField, IsSet | seed);

    /// <summary>Leaves a log level for the guest's C runtime, which takes it instead of the one it was started with.</summary>
    public static void WriteLogLevel(IMemoryRegion scratch, GuestMemoryLayout layout, GuestLogLevel level) =>
        WriteField(scratch, layout, LogLevelField, IsSet | (ulong)level);

    private static void WriteField(IMemoryRegion scratch, GuestMemoryLayout layout, ulong distance, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        scratch.Write((nuint)(layout.ScratchSize - distance), bytes);
    }
}

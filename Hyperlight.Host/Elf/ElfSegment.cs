namespace Hyperlight.Host.Elf;

/// <summary>A PT_LOAD segment: where its bytes are in the file and where they go in memory.</summary>
/// <param name="FileOffset">Offset of the first byte in the file.</param>
/// <param name="FileSize">Bytes in the file; the rest of the segment is zero.</param>
/// <param name="VirtualAddress">Link-time address of the first byte.</param>
/// <param name="MemorySize">Bytes in memory.</param>
internal readonly record struct ElfSegment(ulong FileOffset, ulong FileSize, ulong VirtualAddress, ulong MemorySize)
{
    /// <summary>Link-time address after the last byte.</summary>
    public ulong End => VirtualAddress + MemorySize;
}

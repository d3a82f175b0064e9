using System.Buffers.Binary;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>The page by which a guest finds its buffers, heap and init data: four pairs of size and address.</summary>
internal static class ProcessEnvironmentBlock
{
    public const int Size = 0x40;

    public static void Write(IMemoryRegion image, GuestMemoryLayout layout)
    {
        Span<byte> peb = stackalloc byte[Size];
        WritePair(peb, 0x00, (ulong)layout.InputBufferSize, layout.ScratchVirtualBase + GuestMemoryLayout.InputBufferOffset);
        WritePair(peb, 0x10, (ulong)layout.OutputBufferSize, layout.ScratchVirtualBase + layout.OutputBufferOffset);
        WritePair(peb, 0x20, (ulong)layout.InitDataSize, GuestAddresses.ImageBase + layout.InitDataOffset);
        WritePair(peb, 0x30, layout.HeapSize, GuestAddresses.ImageBase + layout.HeapOffset);
        image.Write((nuint)layout.PebOffset, peb);
    }

    private static void WritePair(Span<byte> peb, int offset, ulong size, ulong address)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(peb[offset..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(peb[(offset + 8)..], address);
    }
}

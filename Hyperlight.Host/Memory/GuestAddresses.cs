namespace Hyperlight.Host.Memory;

/// <summary>The fixed addresses of the guest ABI.</summary>
internal static class GuestAddresses
{
    /// <summary>First guest physical and virtual address of the image. The page below is never mapped, so that null faults.</summary>
    public const ulong ImageBase = 0x1000;

    /// <summary>One past the last guest physical address: 36 bits. Scratch memory ends here.</summary>
    public const ulong PhysicalTop = 0x10_0000_0000;

    /// <summary>One past the last guest virtual address of scratch memory; the page above stays unmapped.</summary>
    public const ulong ScratchVirtualTop = 0xFFFF_FFFF_FFFF_F000;

    /// <summary>Guest physical address of scratch memory of a size.</summary>
    public static ulong ScratchPhysicalBase(ulong scratchSize) => PhysicalTop - scratchSize;

    /// <summary>Guest virtual address of scratch memory of a size.</summary>
    public static ulong ScratchVirtualBase(ulong scratchSize) => ScratchVirtualTop - scratchSize;
}

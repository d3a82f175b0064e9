using Hyperlight.Abstractions;
using Hyperlight.Host.Memory.Mappings;

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

    /// <summary>
    /// The lowest guest physical address that a hypervisor may keep from memory, and so the end of the largest image. The
    /// guest's image is one range, which cannot go around it.
    /// </summary>
    public const ulong ImageLimit = 0xFEC0_0000;

    /// <summary>Bytes of the largest image.</summary>
    public const ulong MaximumImageSize = ImageLimit - ImageBase;

    /// <summary>
    /// Guest physical addresses that a hypervisor may answer itself, so that memory there would not be seen by the guest. They
    /// are kept free on every driver, so that a sandbox and its snapshots do not depend on the driver.
    /// </summary>
    public static IReadOnlyList<GuestRange> Reserved { get; } =
    [
        new(ImageLimit, GuestPage.Size, "the page of the I/O APIC"),
        new(0xFEE0_0000, GuestPage.Size, "the page of the local APIC"),
        new(0xFFFB_C000, 4 * GuestPage.Size, "the pages that KVM uses for real mode"),
    ];

    /// <summary>Guest physical address of scratch memory of a size.</summary>
    public static ulong ScratchPhysicalBase(ulong scratchSize) => PhysicalTop - scratchSize;

    /// <summary>Guest virtual address of scratch memory of a size.</summary>
    public static ulong ScratchVirtualBase(ulong scratchSize) => ScratchVirtualTop - scratchSize;
}

using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory.Mappings;

/// <summary>Host memory that is mapped into a running guest besides its image and scratch memory.</summary>
/// <param name="Slot">The virtual machine's slot.</param>
/// <param name="Mapping">What appears where.</param>
/// <param name="Label">Its name.</param>
/// <param name="IsOwned">Whether the sandbox disposes the region when it is unmapped.</param>
internal sealed record MappedRegion(uint Slot, GuestMapping Mapping, string Label, bool IsOwned)
{
    /// <summary>
    /// Whether the region stays mapped when a snapshot is restored. Snapshots refer to its pages and do not contain them.
    /// </summary>
    public bool IsRetained { get; init; }

    public GuestRange Range => GuestRange.OfMapping(Label, Mapping.GuestAddress, Mapping.Size);

    public bool IsFile => Mapping.Region.Kind == MemoryRegionKind.File;

    public SandboxMapping Description =>
        new(Label, Mapping.GuestAddress, Mapping.Size, Mapping.Flags, Mapping.Region.Kind);

    /// <summary>Whether a guest physical address lies in the region.</summary>
    public bool Contains(ulong address) => address >= Mapping.GuestAddress && address - Mapping.GuestAddress < Mapping.Size;

    /// <summary>Copies bytes out of the region by guest physical address.</summary>
    /// <exception cref="FileMappingException">The file behind the region cannot be read any more.</exception>
    public void Read(ulong address, Span<byte> destination) =>
        Mapping.Region.Read(Mapping.RegionOffset + (nuint)(address - Mapping.GuestAddress), destination);
}

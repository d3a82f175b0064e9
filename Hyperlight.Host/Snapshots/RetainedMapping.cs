using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// A file that a snapshot refers to instead of containing its pages. A sandbox that the snapshot is restored into has it at the same place.
/// </summary>
internal readonly record struct RetainedMapping(string Label, ulong GuestAddress, ulong Size)
{
    public static RetainedMapping Of(MappedRegion region) => new(region.Label, region.Mapping.GuestAddress, region.Mapping.Size);

    public override string ToString() => $"'{Label}' at 0x{GuestAddress:X} with {Size} bytes";
}

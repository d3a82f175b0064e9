namespace Hyperlight.Host.Memory.Mappings;

/// <summary>What has to hold before anything is mapped into a sandbox.</summary>
internal static class MappingChecks
{
    /// <summary>Refuses a range that overlaps the guest's own memory, what hypervisors keep for themselves, or another mapping.</summary>
    /// <exception cref="MappingOverlapException">It overlaps.</exception>
    public static void CheckPlace(in GuestRange range, GuestMemory memory, IEnumerable<GuestRange> mappings)
    {
        // The page below the image belongs to it: it stays unmapped, so that null is not an address.
        range.CheckAgainst(new GuestRange(
            0, memory.ImageMapping.GuestAddress + memory.ImageMapping.Size, "the guest's image and the null page below it"));
        range.CheckAgainst(new GuestRange(memory.ScratchMapping.GuestAddress, memory.ScratchMapping.Size, "scratch memory"));
        foreach (GuestRange other in GuestAddresses.Reserved.Concat(mappings))
        {
            range.CheckAgainst(other);
        }
    }

    /// <summary>Refuses a file that the table of file mappings has no room for.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="files">How many files are mapped.</param>
    /// <exception cref="MappingLimitException">There is no room.</exception>
    public static void CheckTable(GuestMemory memory, int files)
    {
        if (memory.Layout.HasFileMappingTable && files >= SandboxConfiguration.MaximumFileMappings)
        {
            throw new MappingLimitException(
                SandboxConfiguration.MaximumFileMappings, "the table in which the guest finds its file mappings is full");
        }
    }
}

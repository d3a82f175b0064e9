namespace Hyperlight.Whp;

/// <summary>A machine that maps a region whose section may be replaced by a fresh one.</summary>
internal interface ISectionUser
{
    /// <summary>Maps fresh memory wherever the region is mapped.</summary>
    /// <param name="region">The region, with the memory that is mapped.</param>
    /// <param name="fresh">The memory that will be the region's.</param>
    /// <exception cref="HypervisorException">The platform refused; as far as possible the former memory is mapped.</exception>
    void Replace(SectionMemoryRegion region, SectionMemory fresh);
}

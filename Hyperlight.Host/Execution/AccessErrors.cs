using Hyperlight.Abstractions;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Execution;

/// <summary>Finds out which mapping a forbidden access was about, and why it failed.</summary>
internal static class AccessErrors
{
    /// <summary>The error for an access at a guest physical address.</summary>
    /// <param name="mappings">What is mapped besides the guest's image and scratch memory.</param>
    /// <param name="address">The address; 0 together with an unknown access if the hypervisor does not say.</param>
    /// <param name="attempted">What was attempted; <see cref="MemoryFlags.None"/> if the hypervisor does not say.</param>
    /// <param name="location">Where the guest was, if that is known.</param>
    public static MemoryAccessViolationException Explain(MappedRegions mappings, ulong address, MemoryFlags attempted, string? location)
    {
        if (mappings.Find(address) is { } region)
        {
            FileMappingException? cause = CauseAt(region, address);
            return new MemoryAccessViolationException(address, attempted, region.Label, region.Mapping.Flags, cause) { Location = location };
        }

        if (address == 0 && attempted == MemoryFlags.None)
        {
            // Some kernels only say that host memory is gone. Of a file that was shortened the end is missing.
            foreach (MappedRegion candidate in mappings.Regions)
            {
                ulong lastPage = candidate.Mapping.GuestAddress + candidate.Mapping.Size - GuestPage.Size;
                if (CauseAt(candidate, lastPage) is { } cause)
                {
                    return new MemoryAccessViolationException(address, attempted, candidate.Label, candidate.Mapping.Flags, cause) { Location = location };
                }
            }
        }

        return new MemoryAccessViolationException(address, attempted) { Location = location };
    }

    /// <summary>Why the page of an address cannot be read, or <see langword="null"/> if it can.</summary>
    private static FileMappingException? CauseAt(MappedRegion region, ulong address)
    {
        if (!region.IsFile)
        {
            return null;
        }

        Span<byte> page = stackalloc byte[GuestPage.Size];
        try
        {
            region.Read(address & ~(ulong)(GuestPage.Size - 1), page);
            return null;
        }
        catch (FileMappingException exception)
        {
            return exception;
        }
    }
}

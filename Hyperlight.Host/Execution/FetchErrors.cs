using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;
using Hyperlight.Host.Snapshots;

namespace Hyperlight.Host.Execution;

/// <summary>
/// A hypervisor that emulates guest code reports an instruction that it cannot read as one that it cannot execute. If the
/// reason is a mapped file that was shortened, this finds it out.
/// </summary>
internal static class FetchErrors
{
    private const int LongestInstruction = 15;

    /// <summary>Why an instruction could not be read.</summary>
    /// <param name="rip">The instruction.</param>
    /// <param name="root">CR3.</param>
    /// <param name="memory">The guest's image and scratch memory.</param>
    /// <param name="mappings">What else is mapped.</param>
    /// <param name="location">Where the guest was, if that is known.</param>
    /// <returns>The error; <see langword="null"/> if the instruction is not in a file, or can be read.</returns>
    public static MemoryAccessViolationException? Explain(
        ulong rip, ulong root, GuestMemory memory, MappedRegions mappings, string? location)
    {
        var pages = new PhysicalPages(memory, mappings.Regions);
        foreach (ulong address in (ReadOnlySpan<ulong>)[rip, rip + LongestInstruction - 1])
        {
            if (Translate(pages, root, address) is { } physical
                && AccessErrors.Explain(mappings, physical, MemoryFlags.Execute, location) is { InnerException: not null } error)
            {
                return error;
            }
        }

        return null;
    }

    /// <summary>Walks the guest's page tables, which may hold anything.</summary>
    private static ulong? Translate(PhysicalPages pages, ulong root, ulong address)
    {
        Span<byte> table = stackalloc byte[GuestPage.Size];
        ulong entry = root;
        for (int level = PageTableGeometry.RootLevel; level >= 0; level--)
        {
            if (!TryRead(pages, entry & PageTableEntry.AddressMask, table))
            {
                return null;
            }

            int index = PageTableGeometry.Index(address, level);
            entry = BinaryPrimitives.ReadUInt64LittleEndian(table[(index * sizeof(ulong))..]);
            if ((entry & PageTableEntry.Present) == 0)
            {
                return null;
            }

            if (level == 0 || (entry & PageTableEntry.LargePage) != 0)
            {
                ulong offset = (1UL << PageTableGeometry.Shift(level)) - 1;
                return (entry & PageTableEntry.AddressMask & ~offset) | (address & offset);
            }
        }

        return null;
    }

    private static bool TryRead(PhysicalPages pages, ulong address, Span<byte> table)
    {
        try
        {
            return pages.TryRead(address, table);
        }
        catch (SnapshotException)
        {
            // The table itself is in a file that was shortened. The hypervisor reads it as well, and fails otherwise.
            return false;
        }
    }
}

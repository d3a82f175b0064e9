using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Whp;

/// <summary>Virtual addresses, by the guest's page tables.</summary>
internal sealed partial class SimulatedProcessor
{
    private const ulong Paging = 1UL << 31;
    private const ulong Present = 1;
    private const ulong LargePage = 1 << 7;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;
    private const int IndexBits = 9;
    private const int OffsetBits = 12;
    private const int Levels = 4;

    /// <summary>Walks the page tables.</summary>
    public bool TryTranslate(ulong address, out ulong physical)
    {
        SpecialRegisters special = machine.GetSpecialRegisters();
        physical = address;
        if ((special.Cr0 & Paging) == 0)
        {
            return true;
        }

        if ((ulong)((long)(address << 16) >> 16) != address)
        {
            return false;
        }

        ulong table = special.Cr3 & AddressMask;
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        for (int level = Levels - 1; level >= 0; level--)
        {
            int shift = OffsetBits + (level * IndexBits);
            if (!partition.TryRead(table + (((address >> shift) & 0x1FF) * sizeof(ulong)), bytes))
            {
                return false;
            }

            ulong entry = MemoryMarshal.Read<ulong>(bytes);
            if ((entry & Present) == 0)
            {
                return false;
            }

            if (level == 0 || (level < 3 && (entry & LargePage) != 0))
            {
                ulong inPage = (1UL << shift) - 1;
                physical = (entry & AddressMask & ~inPage) | (address & inPage);
                return true;
            }

            table = entry & AddressMask;
        }

        return false;
    }

    /// <summary>Reads bytes that lie in one page.</summary>
    public bool TryReadVirtual(ulong address, Span<byte> destination) =>
        TryTranslate(address, out ulong physical) && partition.TryRead(physical, destination);
}

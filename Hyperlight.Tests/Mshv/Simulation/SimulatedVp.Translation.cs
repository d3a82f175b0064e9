using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Mshv;

/// <summary>HVCALL_TRANSLATE_VIRTUAL_ADDRESS: a walk of four levels of page tables.</summary>
internal sealed unsafe partial class SimulatedVp
{
    private const uint PageNotPresent = 1;
    private const uint PrivilegeViolation = 2;
    private const uint GpaUnmapped = 4;
    private const ulong ValidateExecute = 4;
    private const ulong EntryPresent = 1;
    private const ulong EntryUser = 4;
    private const ulong EntryLarge = 0x80;
    private const ulong EntryNoExecute = 1UL << 63;
    private const ulong AddressBits = 0x000F_FFFF_FFFF_F000;
    private const int UserMode = 3;

    /// <summary>Translates an address.</summary>
    /// <returns>HV_TRANSLATE_GVA_*: 0 if there is a translation.</returns>
    public uint Translate(ulong address, ulong flags, out ulong physical)
    {
        SpecialRegisters special = machine.GetSpecialRegisters();
        ulong table = special.Cr3 & AddressBits;
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        physical = 0;
        for (int shift = 39; ; shift -= 9)
        {
            if (!partition.TryRead(table + (((address >> shift) & 511) * sizeof(ulong)), bytes))
            {
                return GpaUnmapped;
            }

            ulong entry = MemoryMarshal.Read<ulong>(bytes);
            if ((entry & EntryPresent) == 0)
            {
                return PageNotPresent;
            }

            if (((entry & EntryUser) == 0 && (special.Cs.Selector & UserMode) == UserMode)
                || ((entry & EntryNoExecute) != 0 && (flags & ValidateExecute) != 0))
            {
                return PrivilegeViolation;
            }

            if (shift == 12 || (shift <= 30 && (entry & EntryLarge) != 0))
            {
                ulong offsetMask = (1UL << shift) - 1;
                physical = (entry & AddressBits & ~offsetMask) | (address & offsetMask);
                return partition.IsMapped(physical) ? 0 : GpaUnmapped;
            }

            table = entry & AddressBits;
        }
    }

    /// <summary>The bytes at RIP, as far as they are there.</summary>
    public int ReadCode(Span<byte> code)
    {
        ulong rip = machine.GetGeneralRegisters().Rip;
        int done = 0;
        while (done < code.Length
            && Translate(rip + (uint)done, ValidateExecute, out ulong physical) == 0
            && partition.TryRead(physical, code.Slice(done, 1)))
        {
            done++;
        }

        return done;
    }
}

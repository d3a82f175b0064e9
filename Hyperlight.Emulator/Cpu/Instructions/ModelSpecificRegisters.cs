using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ControlBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Model-specific registers: which there are, and which values they take.</summary>
internal readonly unsafe struct ModelSpecificRegisters(ProcessorState* state, Tlb tlb, ProcessorClock clock, byte physicalAddressBits)
{
    private const uint ApicBase = 0x1B;
    public const ulong ApicBaseReset = 0xFEE0_0900;
    public const ulong PatReset = 0x0007_0406_0007_0406;

    private const uint MiscEnable = 0x1A0;

    /// <summary>Bits 0 to 7 and 9, and the x2APIC mode, which CPUID does not report.</summary>
    private const ulong ApicBaseReserved = 0x6FF;

    /// <summary>The one bit of IA32_MISC_ENABLE that says something about this processor.</summary>
    public const ulong FastStrings = 1;

    public bool TryRead(uint index, out ulong value)
    {
        ulong? found = index switch
        {
            0x10 => clock.TimeStamp,
            ApicBase => state->Msrs.ApicBase,
            0x3B => state->Msrs.TscOffset,
            MiscEnable => state->Msrs.MiscEnable,
            0x174 => state->Msrs.SysenterCs,
            0x175 => state->Msrs.SysenterEsp,
            0x176 => state->Msrs.SysenterEip,
            0x277 => state->Msrs.Pat,
            0xC000_0080 => state->Control.Efer,
            0xC000_0081 => state->Msrs.Star,
            0xC000_0082 => state->Msrs.Lstar,
            0xC000_0083 => state->Msrs.Cstar,
            0xC000_0084 => state->Msrs.SyscallMask,
            0xC000_0100 => state->Segments.Fs.Base,
            0xC000_0101 => state->Segments.Gs.Base,
            0xC000_0102 => state->Msrs.KernelGsBase,
            0xC000_0103 => state->Msrs.TscAux,
            _ => null,
        };
        value = found.GetValueOrDefault();
        return found.HasValue;
    }

    public bool TryWrite(uint index, ulong value)
    {
        switch (index)
        {
            case 0x175 or 0x176 or 0xC000_0082 or 0xC000_0083 or (>= 0xC000_0100 and <= 0xC000_0102) when !LinearAddress.IsCanonical(value):
                return false;
            case 0x10: state->Msrs.TscOffset = value - clock.Clock; return true;
            case ApicBase when (value & (AddressTranslation.ReservedBits(physicalAddressBits) | 0xFFF0_0000_0000_0000 | ApicBaseReserved)) == 0:
                state->Msrs.ApicBase = value;
                return true;
            case 0x3B: state->Msrs.TscOffset = value; return true;
            case 0x174: state->Msrs.SysenterCs = (uint)value; return true;
            case 0x175: state->Msrs.SysenterEsp = value; return true;
            case 0x176: state->Msrs.SysenterEip = value; return true;
            case 0x277 when IsMemoryTypes(value): state->Msrs.Pat = value; return true;
            case MiscEnable when (value & ~FastStrings) == 0: state->Msrs.MiscEnable = value; return true;
            case 0xC000_0080:
                // Long mode cannot be left while paging is on.
                if ((value & ~EferBits) != 0 || ((value ^ state->Control.Efer) & 0x100) != 0)
                {
                    return false;
                }

                state->Control.Efer = (value & ~EferLongModeActive) | (state->Control.Efer & EferLongModeActive);
                tlb.FlushAll();
                return true;
            case 0xC000_0081: state->Msrs.Star = value; return true;
            case 0xC000_0082: state->Msrs.Lstar = value; return true;
            case 0xC000_0083: state->Msrs.Cstar = value; return true;
            case 0xC000_0084: state->Msrs.SyscallMask = value; return true;
            case 0xC000_0100: state->Segments.Fs.Base = value; return true;
            case 0xC000_0101: state->Segments.Gs.Base = value; return true;
            case 0xC000_0102: state->Msrs.KernelGsBase = value; return true;
            case 0xC000_0103: state->Msrs.TscAux = (uint)value; return true;
            default: return false;
        }
    }

    /// <summary>Whether each byte of a PAT is a memory type: UC, WC, WT, WP, WB or UC-.</summary>
    private static bool IsMemoryTypes(ulong value)
    {
        for (int i = 0; i < 64; i += 8)
        {
            if ((value >> i & 0xFF) is not (0 or 1 or (>= 4 and <= 7)))
            {
                return false;
            }
        }

        return true;
    }
}

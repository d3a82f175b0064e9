using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>MOV from and to control registers.</summary>
internal sealed unsafe class ControlRegisterInstructions(
    ProcessorState* state,
    RegisterFile registers,
    Tlb tlb,
    PendingEvent pending,
    AddressTranslation translation)
{
    public bool Read(ref MicroOp op)
    {
        ulong? value = op.SourceRegister switch { 0 => state->Control.Cr0, 2 => state->Control.Cr2, 3 => state->Control.Cr3, 4 => state->Control.Cr4, 8 => state->Control.Cr8, _ => null };
        if (value is null)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        registers[op.DestinationRegister] = value.Value;
        return true;
    }

    public bool Write(int register, ulong value)
    {
        switch (register)
        {
            case 0:
                // There is no mode but the 64-bit one; CD clear with NW set is invalid.
                if (value >> 32 != 0 || (value & Cr0Required) != Cr0Required || (value & 0x6000_0000) == 0x2000_0000)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                state->Control.Cr0 = (value & Cr0Bits) | 0x10;
                tlb.FlushAll();
                return true;
            case 2:
                state->Control.Cr2 = value;
                return true;
            case 3:
                if ((value & (translation.ReservedAddressBits | 0xFFF0_0000_0000_0000)) != 0)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                state->Control.Cr3 = value;
                tlb.FlushNonGlobal();
                return true;
            case 4:
                if ((value & ~Cr4Bits) != 0 || (value & Cr4PhysicalAddressExtension) == 0)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                state->Control.Cr4 = value;
                tlb.FlushAll();
                return true;
            case 8:
                if (value > 15)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                state->Control.Cr8 = value;
                return true;
            default:
                return pending.Fault(InvalidOpcode, 0);
        }
    }
}

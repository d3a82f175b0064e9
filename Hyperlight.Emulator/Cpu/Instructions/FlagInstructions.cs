using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>POPF, and the part of IRET that is like it.</summary>
internal sealed unsafe class FlagInstructions(ProcessorState* state, Flags flags, PrivilegeLevel privilege, LinearMemory memory)
{
    /// <summary>POPF, and the part of IRET that is like it: which flags change depends on privilege.</summary>
    public void WriteAs(ulong value, int size, ulong further)
    {
        ulong writable = ArithmeticFlags | FlagTrap | FlagDirection | FlagNestedTask | FlagAlignment | FlagIdentification | further;
        writable |= state->Segments.Cpl == 0 ? FlagIoPrivilege : 0;
        writable |= privilege.HasIoPrivilege ? FlagInterrupt : 0;
        writable &= size == 2 ? 0xFFFFUL : ulong.MaxValue;
        flags.Write((value & writable) | (flags.Read() & ~writable));
    }

    public bool Pop(ref MicroOp op)
    {
        if (!memory.Pop(out ulong value, op.Size))
        {
            return false;
        }

        WriteAs(value, op.Size, 0);
        state->Results.Other &= ~FlagResume;
        return true;
    }
}

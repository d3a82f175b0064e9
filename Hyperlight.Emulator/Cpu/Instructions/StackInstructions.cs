using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>POP, ENTER and LEAVE.</summary>
internal sealed class StackInstructions(RegisterFile registers, PendingEvent pending, LinearMemory memory, Operands operands)
{
    public bool Pop(ref MicroOp op)
    {
        ulong rsp = registers[Rsp];
        if (!memory.Pop(out ulong value, op.Size))
        {
            return false;
        }

        // An address made of RSP uses its value after the pop.
        if (operands.WriteDestination(ref op, value))
        {
            return true;
        }

        registers[Rsp] = rsp;
        return false;
    }

    /// <summary>Makes a frame, with pointers to those around it for a level above 0.</summary>
    public bool Enter(ref MicroOp op)
    {
        int level = (int)op.Displacement & 31;
        ulong rsp = registers[Rsp];
        ulong outer = registers[Rbp];
        if (!memory.Push(outer, op.Size))
        {
            return false;
        }

        ulong frame = registers[Rsp];
        for (int i = 1; i < level; i++)
        {
            outer -= (ulong)op.Size;
            if (!memory.LoadStack(outer, op.Size, out ulong pointer) || !memory.Push(pointer, op.Size))
            {
                registers[Rsp] = rsp;
                return false;
            }
        }

        if (level > 0 && !memory.Push(frame, op.Size))
        {
            registers[Rsp] = rsp;
            return false;
        }

        // What the new stack pointer points to must be there and writable, though nothing is written to it.
        ulong top = registers[Rsp] - op.Immediate;
        if (!memory.LoadForStore(top, op.Size, out _))
        {
            registers[Rsp] = rsp;
            return pending.StackFault();
        }

        operands.WriteRegister(Rbp, op.Size, frame);
        registers[Rsp] = top;
        return true;
    }

    public bool Leave(int size)
    {
        if (!memory.LoadStack(registers[Rbp], size, out ulong value))
        {
            return false;
        }

        registers[Rsp] = registers[Rbp] + (ulong)size;
        operands.WriteRegister(Rbp, size, value);
        return true;
    }
}

using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Jumps, calls and returns that do not load CS.</summary>
internal sealed unsafe class BranchInstructions(
    ProcessorState* state,
    RegisterFile registers,
    Flags flags,
    PendingEvent pending,
    LinearMemory memory)
{
    public bool IsTarget(ulong address) => LinearAddress.IsCanonical(address) || pending.Fault(GeneralProtection, 0);

    public bool JumpTo(ulong address)
    {
        if (!IsTarget(address))
        {
            return false;
        }

        state->Rip = address;
        return true;
    }

    /// <summary>
    /// The return address is written before the target is looked at, as on processors of Intel: below the stack pointer,
    /// which stays where it was if the target is refused.
    /// </summary>
    public bool CallTo(ulong address, ulong returnTo)
    {
        ulong rsp = registers[Rsp];
        if (!memory.Push(returnTo))
        {
            return false;
        }

        if (JumpTo(address))
        {
            return true;
        }

        registers[Rsp] = rsp;
        return false;
    }

    public bool Return(ref MicroOp op)
    {
        ulong rsp = registers[Rsp];
        if (!memory.Pop(out ulong target))
        {
            return false;
        }

        if (!JumpTo(target))
        {
            registers[Rsp] = rsp;
            return false;
        }

        registers[Rsp] += op.Immediate;
        return true;
    }

    public bool Count(ref MicroOp op)
    {
        ulong mask = op.Size == 4 ? uint.MaxValue : ulong.MaxValue;
        if (op.Op == Op.Jrcxz)
        {
            return (registers[Rcx] & mask) != 0 || JumpTo(op.Immediate);
        }

        ulong count = (registers[Rcx] - 1) & mask;
        bool isTaken = count != 0 && (op.Op == Op.Loop || flags.Zero == (op.Op == Op.Loope));
        if (isTaken && !JumpTo(op.Immediate))
        {
            return false;
        }

        registers[Rcx] = count;
        return true;
    }
}

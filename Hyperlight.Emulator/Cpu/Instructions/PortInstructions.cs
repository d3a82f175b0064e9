using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>IN, OUT and their string forms: each is an exit to the host.</summary>
internal sealed class PortInstructions(RegisterFile registers, PendingEvent pending, LinearMemory memory, TaskStateSegment task)
{
    /// <summary>
    /// The last instruction that wrote to a port: where it is, and whether it is OUTS. For those who report it as a hypervisor
    /// does that leaves RIP at the instruction.
    /// </summary>
    public (ulong Rip, bool IsString) PortWrite { get; private set; }

    /// <summary>RSI and RCX as they were before the last element of OUTS, for the same purpose.</summary>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite { get; private set; }

    public bool Out(ref MicroOp op)
    {
        ushort port = Port(ref op, op.Destination);
        PortWrite = (op.Rip, false);
        return task.MayUsePort(port, op.Size)
            && pending.ExitBehind(VmExit.IoOut(port, (uint)SizedInteger.Truncate(registers[Rax], op.Size), op.Size));
    }

    public bool In(ref MicroOp op)
    {
        ushort port = Port(ref op, op.Source);
        return task.MayUsePort(port, op.Size) && pending.ExitWith(VmExit.IoIn(port, op.Size));
    }

    /// <summary>OUTS. Each element is an exit of its own; the instruction is executed again for the next one.</summary>
    public bool Outs(ref MicroOp op, ulong source, ulong step, ulong mask)
    {
        if (!task.MayUsePort((ushort)registers[Rdx], op.Size) || !memory.Load(source, op.Size, out ulong value))
        {
            return false;
        }

        StringWrite = (registers[Rsi], registers[Rcx], op.Repeat != Repeat.None);
        registers[Rsi] = (registers[Rsi] + step) & mask;
        PortWrite = (op.Rip, true);
        VmExit exit = VmExit.IoOut((ushort)registers[Rdx], (uint)value, op.Size);
        if (op.Repeat == Repeat.None)
        {
            return pending.ExitBehind(exit);
        }

        registers[Rcx] = (registers[Rcx] - 1) & mask;
        return pending.ExitWith(exit);
    }

    /// <summary>INS: the host cannot complete it, because it does not say what was read: RIP stays.</summary>
    public bool Ins(ref MicroOp op)
    {
        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        var port = (ushort)registers[Rdx];
        return (op.Repeat != Repeat.None && (registers[Rcx] & mask) == 0)
            || (task.MayUsePort(port, op.Size) && memory.LoadForStore(registers[Rdi] & mask, op.Size, out _)
                && pending.ExitWith(VmExit.IoIn(port, op.Size)));
    }

    private ushort Port(ref MicroOp op, OperandKind kind) =>
        (ushort)(kind == OperandKind.Immediate ? op.Immediate & 0xFF : registers[Rdx]);
}

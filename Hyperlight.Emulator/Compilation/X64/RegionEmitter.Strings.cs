using System.Numerics;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Repeated MOVS and STOS: the same instruction of the host, if all elements are in one page of the source and one of the
/// destination. Others, and those that go backwards, are for the interpreter.
/// </summary>
internal sealed partial class RegionEmitter
{
    private const int Exchange = 0x87;

    private void EmitString(in MicroOp op)
    {
        int done = _a.NewLabel();
        FreeFlags();
        _a.Emit(4, 0x83, 7, Operand.State(StateOffsets.Direction));
        _a.Byte(0);
        _a.JumpIf(NotEqual, Slow);
        _a.Emit(8, 0x85, Host.Rcx, Operand.Of(Host.Rcx));
        _a.JumpIf(Equal, done);

        // More elements are counted as more than one instruction.
        _a.Emit(8, 0x81, 7, Operand.Of(Host.Rcx));
        _a.Immediate(4, Processor.ElementsPerCheck);
        _a.JumpIf(Above, Slow);
        if (op.Op == Op.Movs)
        {
            EmitCopy(in op);
        }
        else
        {
            EmitFill(in op);
        }

        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Scratch));
        if (op.Size > 1)
        {
            _a.Emit(8, 0xC1, 4, Translation);
            _a.Byte((byte)BitOperations.Log2(op.Size));
        }

        if (op.Op == Op.Movs)
        {
            _a.Emit(8, 0x01, Host.Entry, Place(Processor.Rsi));
        }

        _a.Emit(8, 0x01, Host.Entry, Place(Processor.Rdi));
        _a.Mark(done);
    }

    /// <summary>Copies, with the number of elements in the entry register afterwards, and the flags saved elsewhere.</summary>
    private void EmitCopy(in MicroOp op)
    {
        TranslateElements(Processor.Rsi, op.Size, StateOffsets.ReadTag);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Scratch));
        _a.Emit(8, Mov, Host.Address, Operand.Of(Host.Rax));

        // The flags come back before the interpreter executes the instruction.
        int slow = Slow;
        int restoring = _a.NewLabel();
        _slow = restoring;
        TranslateElements(Processor.Rdi, op.Size, StateOffsets.WriteTag);
        _slow = slow;
        _outOfLine.Add(new OutOfLine(OutOfLineKind.RestoreFlags, restoring, slow));

        _a.Emit(8, Mov, Host.Rcx, Translation);
        _a.Emit(8, Exchange, Host.Rsi, Operand.Of(Host.Rax));
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        EmitRepeated(0xA4, op.Size);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        _a.Emit(8, Exchange, Host.Rsi, Operand.Of(Host.Rax));
    }

    /// <summary>Fills, with the number of elements in the entry register afterwards, and the flags saved elsewhere.</summary>
    private void EmitFill(in MicroOp op)
    {
        TranslateElements(Processor.Rdi, op.Size, StateOffsets.WriteTag);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Scratch));
        LoadRax();
        _a.Emit(8, Mov, Host.Rcx, Translation);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        EmitRepeated(0xAA, op.Size);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
    }

    /// <summary>Translates the address in a guest's register, if RCX elements from there on are in one page.</summary>
    private void TranslateElements(int register, int size, int tag)
    {
        _a.Emit(8, MovFrom, Host.Address, Place(register));
        _a.Emit(8, 0x8D, Host.Entry, Operand.At(Host.Address, Host.Rcx, BitOperations.Log2((uint)size), -1));
        _a.Emit(8, 0x31, Host.Address, Translation);
        _a.Emit(8, 0xC1, 5, Translation);
        _a.Byte(HostPage.Shift);
        _a.JumpIf(NotEqual, Slow);
        Translate(1, tag);
    }

    private void EmitRepeated(int opcode, int size)
    {
        if (size == 2)
        {
            _a.Byte(0x66);
        }

        _a.Byte(0xF3);
        if (size == 8)
        {
            _a.Byte(0x48);
        }

        _a.Byte((byte)(size == 1 ? opcode : opcode + 1));
    }

    /// <summary>Where a guest's register is.</summary>
    private Operand Place(int guest) => _map[guest] == Operand.None
        ? Operand.State(StateOffsets.Register(guest))
        : Operand.Of(_map[guest]);
}

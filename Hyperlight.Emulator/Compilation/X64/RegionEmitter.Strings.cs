using System.Numerics;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Repeated MOVS and STOS: the same instruction of the host, if all elements are in one page of the source and one of the
/// destination. Others are executed in parts for which that is so. Elements that cross the end of a page, and instructions that
/// go backwards, are for the interpreter.
/// </summary>
internal sealed partial class RegionEmitter
{
    /// <summary>Up to as many elements are copied one by one: processors need longer to begin a repeated instruction.</summary>
    public const int FewElements = 8;

    private const int Exchange = 0x87;

    /// <param name="op">The instruction.</param>
    /// <param name="behind">How many instructions of the trace follow it.</param>
    private void EmitString(in MicroOp op, int behind)
    {
        int done = _a.NewLabel();
        int split = _a.NewLabel();
        FreeFlags();
        _a.Emit(4, 0x83, 7, Operand.State(StateOffsets.Direction));
        _a.Byte(0);
        _a.JumpIf(NotEqual, Slow);
        _a.Emit(8, 0x85, Host.Rcx, Operand.Of(Host.Rcx));
        _a.JumpIf(Equal, done);
        int few = _a.NewLabel();
        int copied = _a.NewLabel();
        EmitElements(in op, split, Slow, op.Op == Op.Movs ? (few, copied) : null);
        MoveBehindElements(in op);
        _a.Jump(done);
        if (op.Op == Op.Movs)
        {
            EmitFewElements(in op, few, copied);
        }

        EmitParts(in op, behind, split, done);
        _a.Mark(done);
    }

    /// <summary>
    /// Executes an instruction in parts that end with a page, and where the interpreter's would end: these count as instructions.
    /// </summary>
    private void EmitParts(in MicroOp op, int behind, int split, int done)
    {
        int isCrossing = _a.NewLabel();
        int hasMore = _a.NewLabel();
        _a.Mark(split);
        _a.Emit(8, Mov, Host.Rcx, Operand.State(StateOffsets.Elements));
        LimitElements(in op);
        _a.Emit(4, 0x85, Host.Rcx, Operand.Of(Host.Rcx));
        _a.JumpIf(Equal, isCrossing);
        EmitElements(in op, isCrossing, isCrossing, null);
        _a.Emit(8, 0x29, Host.Entry, Operand.State(StateOffsets.Elements));
        MoveBehindElements(in op);
        _a.Emit(8, MovFrom, Host.Rcx, Operand.State(StateOffsets.Elements));
        _a.Emit(8, 0x85, Host.Rcx, Operand.Of(Host.Rcx));
        _a.JumpIf(NotEqual, hasMore);
        _a.Emit(4, 0x83, 7, Operand.State(StateOffsets.CancelRequested));
        _a.Byte(0);
        _a.JumpIf(Equal, done);
        _a.Jump(InterpretAt(op.NextRip, behind));

        _a.Mark(hasMore);
        _a.Emit(4, 0xF7, 0, Operand.Of(Host.Rcx));
        _a.Immediate(4, StringInstructions.ElementsPerCheck - 1);
        _a.JumpIf(NotEqual, split);
        _a.Emit(4, 0x83, 7, Operand.State(StateOffsets.CancelRequested));
        _a.Byte(0);
        _a.JumpIf(NotEqual, InterpretAt(op.Rip, behind));
        _a.Emit(8, 0x83, 5, Operand.Of(Host.Budget));
        _a.Byte(1);
        _a.JumpIf(Negative, InterpretAt(op.Rip, behind + 1));
        _a.Jump(split);

        _a.Mark(isCrossing);
        _a.Emit(8, MovFrom, Host.Rcx, Operand.State(StateOffsets.Elements));
        _a.Jump(Slow);
    }

    /// <summary>Lets RCX be the number of elements of the next part, of RCX elements in all.</summary>
    private void LimitElements(in MicroOp op)
    {
        _a.Emit(4, 0x8D, Host.Entry, Operand.At(Host.Rcx, -1));
        _a.Emit(4, 0x81, 4, Translation);
        _a.Immediate(4, StringInstructions.ElementsPerCheck - 1);
        _a.Emit(4, 0x83, 0, Translation);
        _a.Byte(1);
        if (op.Op == Op.Movs)
        {
            LimitToPage(GeneralRegister.Rsi, op.Size);
        }

        LimitToPage(GeneralRegister.Rdi, op.Size);
        _a.Emit(8, Mov, Host.Entry, Operand.Of(Host.Rcx));
    }

    /// <summary>Lets the entry register be no more than the number of elements up to the end of the page of an address.</summary>
    private void LimitToPage(int register, int size)
    {
        const int IfAbove = 0x0F47;
        _a.Emit(8, MovFrom, Host.Address, Place(register));
        _a.Emit(4, 0xF7, 2, GuestAddress);
        _a.Emit(4, 0x81, 4, GuestAddress);
        _a.Immediate(4, (int)HostPage.OffsetMask);
        _a.Emit(4, 0x83, 0, GuestAddress);
        _a.Byte(1);
        if (size > 1)
        {
            _a.Emit(4, 0xC1, 5, GuestAddress);
            _a.Byte((byte)BitOperations.Log2((uint)size));
        }

        _a.Emit(4, 0x39, Host.Address, Translation);
        _a.Emit(4, IfAbove, Host.Entry, GuestAddress);
    }

    /// <summary>Executes RCX elements, with their number in the entry register afterwards and RCX zero.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="apart">Where to go if there are too many, or they are not in one page.</param>
    /// <param name="refused">Where to go if the page is not translated.</param>
    /// <param name="few">Where to go if there are few, and where that comes back to.</param>
    private void EmitElements(in MicroOp op, int apart, int refused, (int Few, int Copied)? few)
    {
        // More elements are counted as more than one instruction.
        _a.Emit(8, 0x81, 7, Operand.Of(Host.Rcx));
        _a.Immediate(4, StringInstructions.ElementsPerCheck);
        _a.JumpIf(Above, apart);
        if (op.Op == Op.Movs)
        {
            EmitCopy(in op, apart, refused, few);
        }
        else
        {
            EmitFill(in op, apart, refused);
        }

        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Scratch));
    }

    private void EmitCopy(in MicroOp op, int apart, int refused, (int Few, int Copied)? few)
    {
        TranslateElements(GeneralRegister.Rsi, op.Size, StateOffsets.ReadTag, apart, refused);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Scratch));
        _a.Emit(8, Mov, Host.Address, Operand.Of(Host.Rax));
        TranslateElements(GeneralRegister.Rdi, op.Size, StateOffsets.WriteTag, RestoringFlags(apart), RestoringFlags(refused));
        if (few is { } place)
        {
            _a.Emit(4, 0x8D, Host.Entry, Operand.At(Host.Rcx, -1));
            _a.Emit(4, 0x83, 7, Translation);
            _a.Byte(FewElements - 1);
            _a.JumpIf(BelowOrEqual, place.Few);
        }

        _a.Emit(8, Mov, Host.Rcx, Translation);
        _a.Emit(8, Exchange, Host.Rsi, Operand.Of(Host.Rax));
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        EmitRepeated(0xA4, op.Size);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        _a.Emit(8, Exchange, Host.Rsi, Operand.Of(Host.Rax));
        if (few is { } end)
        {
            _a.Mark(end.Copied);
        }
    }

    /// <summary>Copies elements one by one, with an index from behind the last one that counts up to zero.</summary>
    private void EmitFewElements(in MicroOp op, int few, int copied)
    {
        int scale = BitOperations.Log2(op.Size);
        int byteForm = op.Size == 1 ? 1 : 0;
        int next = _a.NewLabel();
        _a.Mark(few);
        _a.Emit(8, Mov, Host.Rcx, Operand.State(StateOffsets.Part));
        _a.Emit(8, 0x8D, Host.Rax, Operand.At(Host.Rax, Host.Rcx, scale, 0));
        _a.Emit(8, 0x8D, Host.Address, Operand.At(Host.Address, Host.Rcx, scale, 0));
        _a.Emit(8, 0xF7, 3, Operand.Of(Host.Rcx));
        _a.Mark(next);
        _a.Emit(op.Size, MovFrom - byteForm, Host.Entry, Operand.At(Host.Rax, Host.Rcx, scale, 0));
        _a.Emit(op.Size, Mov - byteForm, Host.Entry, Operand.At(Host.Address, Host.Rcx, scale, 0));
        _a.Emit(8, 0xFF, 0, Operand.Of(Host.Rcx));
        _a.JumpIf(NotEqual, next);
        _a.Emit(8, MovFrom, Host.Entry, Operand.State(StateOffsets.Part));
        _a.Jump(copied);
    }

    private void EmitFill(in MicroOp op, int apart, int refused)
    {
        TranslateElements(GeneralRegister.Rdi, op.Size, StateOffsets.WriteTag, apart, refused);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.Scratch));
        LoadRax();
        _a.Emit(8, Mov, Host.Rcx, Translation);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
        EmitRepeated(0xAA, op.Size);
        _a.Emit(8, Exchange, Host.Rdi, GuestAddress);
    }

    /// <summary>Adds the size of the elements, of which the number is in the entry register, to the guest's addresses.</summary>
    private void MoveBehindElements(in MicroOp op)
    {
        if (op.Size > 1)
        {
            _a.Emit(8, 0xC1, 4, Translation);
            _a.Byte((byte)BitOperations.Log2(op.Size));
        }

        if (op.Op == Op.Movs)
        {
            _a.Emit(8, 0x01, Host.Entry, Place(GeneralRegister.Rsi));
        }

        _a.Emit(8, 0x01, Host.Entry, Place(GeneralRegister.Rdi));
    }

    /// <summary>Translates the address in a guest's register, if RCX elements from there on are in one page.</summary>
    private void TranslateElements(int register, int size, int tag, int apart, int refused)
    {
        _a.Emit(8, MovFrom, Host.Address, Place(register));
        _a.Emit(8, 0x8D, Host.Entry, Operand.At(Host.Address, Host.Rcx, BitOperations.Log2((uint)size), -1));
        _a.Emit(8, 0x31, Host.Address, Translation);
        _a.Emit(8, 0xC1, 5, Translation);
        _a.Byte(HostPage.Shift);
        _a.JumpIf(NotEqual, apart);
        Translate(1, tag, refused);
    }

    /// <summary>A place at which RAX gets the flags back before execution goes on.</summary>
    private int RestoringFlags(int then)
    {
        int label = _a.NewLabel();
        _outOfLine.Add(new OutOfLine(OutOfLineKind.RestoreFlags, label, then));
        return label;
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
}

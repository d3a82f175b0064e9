using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Multiplication, division and the extension of the sign, which name RAX and RDX.</summary>
internal sealed partial class RegionEmitter
{
    private void EmitMultiplication(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: false);
        Operand source = Source(in op);
        int target = Read(op.DestinationRegister, Host.Entry);
        if (op.HasThirdOperand)
        {
            _a.Emit(op.Size, 0x69, target, source);
            _a.Immediate(op.Size == 2 ? 2 : 4, (long)op.Immediate);
        }
        else
        {
            _a.Emit(op.Size, 0x0FAF, target, source);
        }

        Write(op.DestinationRegister, target);
        FlagsAreNew();
    }

    private void EmitWideMultiplication(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: false);
        Operand source = op.Destination == OperandKind.Memory ? Memory : Operand.Of(Read(op.DestinationRegister, Host.Entry));
        LoadRax();
        _a.Emit(op.Size, 0xF7, op.Op == Op.Mul ? 4 : 5, source);
        Set(GeneralRegister.Rax, Host.Rax);
        FlagsAreNew();
    }

    /// <summary>A division that cannot raise the exception; all others are for the interpreter. It keeps the flags.</summary>
    private void EmitDivision(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: false);
        FreeFlags();
        if (op.Destination == OperandKind.Memory)
        {
            _a.Emit(op.Size, MovFrom, Host.Address, Memory);
        }
        else
        {
            _a.Emit(op.Size, Mov, Read(op.DestinationRegister, Host.Entry), GuestAddress);
        }

        if (op.Op == Op.Div)
        {
            // The quotient fits if the upper half of the dividend is less than the divisor, which is not zero then.
            _a.Emit(op.Size, 0x39, Host.Address, Operand.Of(Host.Rdx));
            _a.JumpIf(AboveOrEqual, Slow);
        }
        else
        {
            GuardSignedDivision(in op);
        }

        _a.Emit(8, Mov, Host.Rax, Translation);
        LoadRax();
        _a.Emit(op.Size, 0xF7, op.Op == Op.Div ? 6 : 7, GuestAddress);
        Set(GeneralRegister.Rax, Host.Rax);
        _a.Emit(8, Mov, Host.Entry, Operand.Of(Host.Rax));
    }

    /// <summary>The divisor is neither zero nor minus one, and the upper half of the dividend is the sign of the lower.</summary>
    private void GuardSignedDivision(in MicroOp op)
    {
        _a.Emit(op.Size, 0x8D, Host.Entry, Operand.At(Host.Address, 1));
        _a.Emit(op.Size, 0x83, 7, Translation);
        _a.Byte(1);
        _a.JumpIf(BelowOrEqual, Slow);
        int low = Read(GeneralRegister.Rax, Host.Entry);
        if (low != Host.Entry)
        {
            _a.Emit(8, Mov, low, Translation);
        }

        _a.Emit(op.Size, 0xC1, 7, Translation);
        _a.Byte((byte)((8 * op.Size) - 1));
        _a.Emit(op.Size, 0x39, Host.Entry, Operand.Of(Host.Rdx));
        _a.JumpIf(NotEqual, Slow);
    }

    /// <summary>CBW, CWDE and CDQE.</summary>
    private void EmitSignExtension(in MicroOp op)
    {
        int register = Read(GeneralRegister.Rax, Host.Entry);
        if (op.Size == 8)
        {
            _a.Emit(8, 0x63, register, Operand.Of(register));
        }
        else
        {
            _a.Emit(op.Size == 2 ? 0x66 : 0, false, op.Size == 2, op.Size == 2 ? 0x0FBE : 0x0FBF, register, Operand.Of(register));
        }

        Write(GeneralRegister.Rax, register);
    }

    /// <summary>CWD, CDQ and CQO. They keep the flags, and a shift does not.</summary>
    private void EmitSignSpread(in MicroOp op)
    {
        FreeFlags();
        _a.Emit(8, Mov, Read(GeneralRegister.Rax, Host.Entry), Translation);
        _a.Emit(op.Size, 0xC1, 7, Translation);
        _a.Byte((byte)((8 * op.Size) - 1));
        _a.Emit(op.Size, Mov, Host.Entry, Operand.Of(Host.Rdx));
    }

    private void LoadRax() => _a.Emit(8, MovFrom, Host.Rax, Place(GeneralRegister.Rax));
}

using System.Reflection.Emit;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Multiplication and division.</summary>
internal sealed partial class RegionCompiler
{
    /// <summary>IMUL with two or three operands: the lower half of the product.</summary>
    private void WriteMultiplication(in MicroOp op, Site site, bool flagsAreSeen)
    {
        PushSource(in op, op.Size, site);
        _w.SignExtend(op.Size);
        _w.Store(_left);
        if (op.HasThirdOperand)
        {
            _w.Int64(op.Immediate);
        }
        else
        {
            PushRegister(op.DestinationRegister);
        }

        _w.SignExtend(op.Size);
        _w.Store(_right);
        _w.Load(_left);
        _w.Load(_right);
        _w.Emit(OpCodes.Mul);
        _w.Store(_new);
        _w.Load(_new);
        PopRegister(op.DestinationRegister, op.Size);
        if (!flagsAreSeen)
        {
            return;
        }

        // It overflows if its upper half is not the sign of its lower one.
        if (op.Size == 8)
        {
            _w.Load(_left);
            _w.Load(_right);
            _w.Call(Members.MultiplyHighSigned);
            _w.Load(_new);
            _w.Int32(63);
            _w.Emit(OpCodes.Shr);
        }
        else
        {
            _w.Load(_new);
            _w.Load(_new);
            _w.SignExtend(op.Size);
        }

        _w.Emit(OpCodes.Xor);
        _w.Store(_left);
        SetFlagSource(FlagSource.Product, op.Size, _left, null, _new);
    }

    /// <summary>RDX:RAX as the product of RAX and an operand of 4 or 8 bytes.</summary>
    private void WriteWideMultiplication(in MicroOp op, Site site, bool flagsAreSeen)
    {
        bool isSigned = op.Op == Op.Imul1;
        PushDestination(in op, site);
        Extend(isSigned, op.Size);
        _w.Store(_left);
        PushRegister(GeneralRegister.Rax);
        Extend(isSigned, op.Size);
        _w.Store(_right);
        _w.Load(_left);
        _w.Load(_right);
        _w.Emit(OpCodes.Mul);
        _w.Store(_new);
        if (op.Size == 8)
        {
            _w.Load(_left);
            _w.Load(_right);
            _w.Call(isSigned ? Members.MultiplyHighSigned : Members.MultiplyHigh);
        }
        else
        {
            _w.Load(_new);
            _w.Int32(32);
            _w.Emit(isSigned ? OpCodes.Shr : OpCodes.Shr_Un);
        }

        _w.Store(_left);
        _w.Load(_new);
        PopRegister(GeneralRegister.Rax, op.Size);
        _w.Load(_left);
        PopRegister(GeneralRegister.Rdx, op.Size);
        if (!flagsAreSeen)
        {
            return;
        }

        if (isSigned)
        {
            _w.Load(_left);
            _w.Load(_new);
            _w.SignExtend(op.Size);
            _w.Int32(63);
            _w.Emit(OpCodes.Shr);
            _w.Emit(OpCodes.Xor);
            _w.Store(_left);
        }

        SetFlagSource(FlagSource.Product, op.Size, _left, null, _new);
    }

    /// <summary>Division where neither it nor the host's can overflow; everything else is for the interpreter.</summary>
    private void WriteDivision(in MicroOp op, Site site)
    {
        bool isSigned = op.Op == Op.Idiv;
        Label rare = LeaveAt(RegionExit.Interpret, site.Rip, site.Behind + 1);
        PushDestination(in op, site);
        Extend(isSigned, op.Size);
        _w.Store(_right);

        // Zero, and minus one, by which the smallest number cannot be divided.
        _w.Load(_right);
        _w.Int64(0);
        _w.Emit(OpCodes.Beq, rare);
        if (isSigned)
        {
            _w.Load(_right);
            _w.Int64(ulong.MaxValue);
            _w.Emit(OpCodes.Beq, rare);
        }

        // The dividend's upper half adds nothing to the lower one.
        PushRegister(GeneralRegister.Rax);
        Extend(isSigned, op.Size);
        _w.Store(_left);
        PushRegister(GeneralRegister.Rdx);
        Extend(isSigned, op.Size);
        if (isSigned)
        {
            _w.Load(_left);
            _w.Int32(63);
            _w.Emit(OpCodes.Shr);
        }
        else
        {
            _w.Int64(0);
        }

        _w.Emit(OpCodes.Bne_Un, rare);
        _w.Load(_left);
        _w.Load(_right);
        _w.Emit(isSigned ? OpCodes.Div : OpCodes.Div_Un);
        _w.Store(_new);
        _w.Load(_new);
        PopRegister(GeneralRegister.Rax, op.Size);
        _w.Load(_left);
        _w.Load(_new);
        _w.Load(_right);
        _w.Emit(OpCodes.Mul);
        _w.Emit(OpCodes.Sub);
        PopRegister(GeneralRegister.Rdx, op.Size);
    }

    private void Extend(bool isSigned, int size)
    {
        if (isSigned)
        {
            _w.SignExtend(size);
        }
        else
        {
            _w.ZeroExtend(size);
        }
    }
}

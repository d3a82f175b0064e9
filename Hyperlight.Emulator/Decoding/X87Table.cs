using Hyperlight.Emulator.X87Arithmetic;
using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Which instruction is which operation of the x87.</summary>
internal static class X87Table
{
    private const byte OperandSizePrefix = 2;
    private const byte OperandSizeDefault = 4;

    /// <summary>Completes a translated instruction; false if it is none of the x87.</summary>
    public static bool TryTranslate(in Instruction instruction, ref MicroOp op)
    {
        if (instruction.Encoding != EncodingKind.Legacy || Find(instruction.Mnemonic) is not { } found)
        {
            return false;
        }

        op.Op = Op.X87;
        op.Function = (ushort)((ushort)found.Op | (ushort)found.Form);
        op.Immediate = X87Opcode.Find(in instruction);
        op.Condition = FindCondition(instruction.Mnemonic);
        switch (found.Op)
        {
            case X87Op.LoadConstant:
                op.DestinationRegister = (byte)FindConstant(instruction.Mnemonic);
                break;
            case X87Op.LoadEnvironment or X87Op.StoreEnvironment or X87Op.Save or X87Op.Restore:
                op.Size = instruction.MemorySize is MemorySize.FpuEnv14 or MemorySize.FpuState94
                    ? OperandSizePrefix : OperandSizeDefault;
                break;
        }

        return true;
    }

    private static (X87Op Op, X87Form Form)? Find(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Fld => (X87Op.Load, X87Form.None),
        Mnemonic.Fild => (X87Op.Load, X87Form.Integer),
        Mnemonic.Fbld => (X87Op.LoadDecimal, X87Form.None),
        Mnemonic.Fld1 or Mnemonic.Fldl2t or Mnemonic.Fldl2e or Mnemonic.Fldpi or Mnemonic.Fldlg2 or Mnemonic.Fldln2
            or Mnemonic.Fldz => (X87Op.LoadConstant, X87Form.None),
        Mnemonic.Fst => (X87Op.Store, X87Form.None),
        Mnemonic.Fstp => (X87Op.Store, X87Form.Pop),
        Mnemonic.Fstpnce => (X87Op.Store, X87Form.Pop | X87Form.Unchecked),
        Mnemonic.Fist => (X87Op.Store, X87Form.Integer),
        Mnemonic.Fistp => (X87Op.Store, X87Form.Integer | X87Form.Pop),
        Mnemonic.Fisttp => (X87Op.StoreTruncated, X87Form.Integer | X87Form.Pop),
        Mnemonic.Fbstp => (X87Op.StoreDecimal, X87Form.Pop),
        Mnemonic.Fxch => (X87Op.Exchange, X87Form.None),
        Mnemonic.Fcmovb or Mnemonic.Fcmovnb or Mnemonic.Fcmove or Mnemonic.Fcmovne or Mnemonic.Fcmovbe or Mnemonic.Fcmovnbe
            or Mnemonic.Fcmovu or Mnemonic.Fcmovnu => (X87Op.ConditionalMove, X87Form.None),
        _ => FindArithmetic(mnemonic) ?? FindFunction(mnemonic) ?? FindControl(mnemonic),
    };

    private static (X87Op Op, X87Form Form)? FindArithmetic(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Fadd => (X87Op.Add, X87Form.None),
        Mnemonic.Faddp => (X87Op.Add, X87Form.Pop),
        Mnemonic.Fiadd => (X87Op.Add, X87Form.Integer),
        Mnemonic.Fmul => (X87Op.Multiply, X87Form.None),
        Mnemonic.Fmulp => (X87Op.Multiply, X87Form.Pop),
        Mnemonic.Fimul => (X87Op.Multiply, X87Form.Integer),
        Mnemonic.Fsub => (X87Op.Subtract, X87Form.None),
        Mnemonic.Fsubp => (X87Op.Subtract, X87Form.Pop),
        Mnemonic.Fisub => (X87Op.Subtract, X87Form.Integer),
        Mnemonic.Fsubr => (X87Op.Subtract, X87Form.Reverse),
        Mnemonic.Fsubrp => (X87Op.Subtract, X87Form.Reverse | X87Form.Pop),
        Mnemonic.Fisubr => (X87Op.Subtract, X87Form.Reverse | X87Form.Integer),
        Mnemonic.Fdiv => (X87Op.Divide, X87Form.None),
        Mnemonic.Fdivp => (X87Op.Divide, X87Form.Pop),
        Mnemonic.Fidiv => (X87Op.Divide, X87Form.Integer),
        Mnemonic.Fdivr => (X87Op.Divide, X87Form.Reverse),
        Mnemonic.Fdivrp => (X87Op.Divide, X87Form.Reverse | X87Form.Pop),
        Mnemonic.Fidivr => (X87Op.Divide, X87Form.Reverse | X87Form.Integer),
        Mnemonic.Fcom => (X87Op.Compare, X87Form.None),
        Mnemonic.Fcomp => (X87Op.Compare, X87Form.Pop),
        Mnemonic.Fcompp => (X87Op.Compare, X87Form.PopTwice),
        Mnemonic.Ficom => (X87Op.Compare, X87Form.Integer),
        Mnemonic.Ficomp => (X87Op.Compare, X87Form.Integer | X87Form.Pop),
        Mnemonic.Fucom => (X87Op.CompareQuietly, X87Form.None),
        Mnemonic.Fucomp => (X87Op.CompareQuietly, X87Form.Pop),
        Mnemonic.Fucompp => (X87Op.CompareQuietly, X87Form.PopTwice),
        Mnemonic.Fcomi => (X87Op.CompareToFlags, X87Form.None),
        Mnemonic.Fcomip => (X87Op.CompareToFlags, X87Form.Pop),
        Mnemonic.Fucomi => (X87Op.CompareQuietlyToFlags, X87Form.None),
        Mnemonic.Fucomip => (X87Op.CompareQuietlyToFlags, X87Form.Pop),
        _ => null,
    };

    private static (X87Op Op, X87Form Form)? FindFunction(Mnemonic mnemonic)
    {
        X87Op? found = mnemonic switch
        {
            Mnemonic.Ftst => X87Op.Test,
            Mnemonic.Fxam => X87Op.Examine,
            Mnemonic.Fchs => X87Op.ChangeSign,
            Mnemonic.Fabs => X87Op.Absolute,
            Mnemonic.Fsqrt => X87Op.SquareRoot,
            Mnemonic.Frndint => X87Op.RoundToInteger,
            Mnemonic.Fxtract => X87Op.Extract,
            Mnemonic.Fscale => X87Op.Scale,
            Mnemonic.Fprem => X87Op.Remainder,
            Mnemonic.Fprem1 => X87Op.RemainderNearest,
            Mnemonic.Fsin => X87Op.Sine,
            Mnemonic.Fcos => X87Op.Cosine,
            Mnemonic.Fsincos => X87Op.SineCosine,
            Mnemonic.Fptan => X87Op.Tangent,
            Mnemonic.Fpatan => X87Op.ArcTangent,
            Mnemonic.F2xm1 => X87Op.PowerOfTwo,
            Mnemonic.Fyl2x => X87Op.Logarithm,
            Mnemonic.Fyl2xp1 => X87Op.LogarithmOfOnePlus,
            _ => null,
        };
        return found is { } op ? (op, X87Form.None) : null;
    }

    private static (X87Op Op, X87Form Form)? FindControl(Mnemonic mnemonic)
    {
        X87Op? found = mnemonic switch
        {
            Mnemonic.Fnop => X87Op.Nop,
            Mnemonic.Wait => X87Op.Wait,
            Mnemonic.Ffree or Mnemonic.Ffreep => X87Op.Free,
            Mnemonic.Fincstp => X87Op.IncrementTop,
            Mnemonic.Fdecstp => X87Op.DecrementTop,
            Mnemonic.Fldcw => X87Op.LoadControl,
            Mnemonic.Fldenv => X87Op.LoadEnvironment,
            Mnemonic.Frstor => X87Op.Restore,
            Mnemonic.Fninit => X87Op.Initialize,
            Mnemonic.Fnclex => X87Op.ClearExceptions,
            Mnemonic.Fnstcw => X87Op.StoreControl,
            Mnemonic.Fnstsw => X87Op.StoreStatus,
            Mnemonic.Fnstenv => X87Op.StoreEnvironment,
            Mnemonic.Fnsave => X87Op.Save,

            // What these did for the 8087 and 80287 needs no doing any more.
            Mnemonic.Fneni or Mnemonic.Fndisi or Mnemonic.Fnsetpm => X87Op.NopWithoutWait,
            _ => null,
        };
        return found is { } op ? (op, mnemonic == Mnemonic.Ffreep ? X87Form.Pop : X87Form.None) : null;
    }

    private static X87Constant FindConstant(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Fld1 => X87Constant.One,
        Mnemonic.Fldl2t => X87Constant.BinaryLogarithmOfTen,
        Mnemonic.Fldl2e => X87Constant.BinaryLogarithmOfE,
        Mnemonic.Fldpi => X87Constant.Pi,
        Mnemonic.Fldlg2 => X87Constant.DecimalLogarithmOfTwo,
        Mnemonic.Fldln2 => X87Constant.NaturalLogarithmOfTwo,
        _ => X87Constant.Zero,
    };

    /// <summary>The condition of FCMOVcc, as Jcc encodes it.</summary>
    private static byte FindCondition(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Fcmovb => 2,
        Mnemonic.Fcmovnb => 3,
        Mnemonic.Fcmove => 4,
        Mnemonic.Fcmovne => 5,
        Mnemonic.Fcmovbe => 6,
        Mnemonic.Fcmovnbe => 7,
        Mnemonic.Fcmovu => 10,
        Mnemonic.Fcmovnu => 11,
        _ => 0,
    };
}

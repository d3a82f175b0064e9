using System.Reflection.Emit;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Flags: instructions leave the values that the flags follow from, and conditions are made of these.</summary>
internal sealed partial class RegionCompiler
{
    private readonly LocalBuilder _source;
    private readonly LocalBuilder _a;
    private readonly LocalBuilder _b;
    private readonly LocalBuilder _result;
    private readonly LocalBuilder _carry;

    /// <summary>What the flags follow from at this point of the code.</summary>
    private FlagSource _flags;

    private FlagSource Kind => _flags == FlagSource.Dynamic ? FlagSource.Dynamic : _flags & FlagSource.KindMask;

    private int FlagSize => (int)(_flags & FlagSource.SizeMask);

    /// <summary>Makes what is known at this point known to code that does not know it.</summary>
    private void StoreFlagSource(FlagSource flags)
    {
        if (flags != FlagSource.Dynamic)
        {
            _w.Int32((int)flags);
            _w.Store(_source);
        }
    }

    /// <summary>Processor, source and values, as methods of the processor take them.</summary>
    private void PushFlags()
    {
        _w.Argument(ProcessorArgument);
        _w.Load(_source);
        _w.Load(_a);
        _w.Load(_b);
        _w.Load(_result);
        _w.Load(_carry);
    }

    /// <summary>Works the flags out into the processor's fields.</summary>
    private void SettleFlags()
    {
        if (_flags != FlagSource.Processor)
        {
            StoreFlagSource(_flags);
            PushFlags();
            _w.Call(Members.SetFlags);
            _flags = FlagSource.Processor;
            StoreFlagSource(_flags);
        }
    }

    /// <summary>Pushes whether a condition holds.</summary>
    private void PushCondition(int condition)
    {
        if (TryPushCondition(condition & ~1))
        {
            if ((condition & 1) != 0)
            {
                _w.Not();
            }

            return;
        }

        SettleFlags();
        _w.Argument(ProcessorArgument);
        _w.Int32(condition);
        _w.Call(Members.Holds);
    }

    /// <summary>The conditions without negation, where they follow from the values directly.</summary>
    private bool TryPushCondition(int condition)
    {
        const int Carry = 2;
        const int Zero = 4;
        const int CarryOrZero = 6;
        const int Sign = 8;
        const int Less = 12;
        const int LessOrEqual = 14;
        switch (Kind, condition)
        {
            case (FlagSource.Subtract, Carry):
                PushOperands(isSigned: false);
                _w.Emit(OpCodes.Clt_Un);
                return true;
            case (FlagSource.Subtract, Zero):
                PushOperands(isSigned: false);
                _w.Emit(OpCodes.Ceq);
                return true;
            case (FlagSource.Subtract, CarryOrZero):
                PushOperands(isSigned: false);
                _w.Emit(OpCodes.Cgt_Un);
                _w.Not();
                return true;
            case (FlagSource.Subtract, Less):
                PushOperands(isSigned: true);
                _w.Emit(OpCodes.Clt);
                return true;
            case (FlagSource.Subtract, LessOrEqual):
                PushOperands(isSigned: true);
                _w.Emit(OpCodes.Cgt);
                _w.Not();
                return true;
            case (FlagSource.Subtract, Sign):
                _w.Load(_a);
                _w.Load(_b);
                _w.Emit(OpCodes.Sub);
                PushIsNegative();
                return true;
            case (FlagSource.Logic, Carry):
                _w.Int32(0);
                return true;
            case (FlagSource.Logic, CarryOrZero):
            case (FlagSource.Add or FlagSource.Logic or FlagSource.Increment or FlagSource.Decrement
                or FlagSource.ShiftLeft or FlagSource.ShiftRight or FlagSource.ShiftArithmetic, Zero):
                _w.Load(_result);
                Narrow(isSigned: false);
                PushZero();
                _w.Emit(OpCodes.Ceq);
                return true;
            case (FlagSource.Logic, Less):
            case (FlagSource.Add or FlagSource.Logic or FlagSource.Increment or FlagSource.Decrement
                or FlagSource.ShiftLeft or FlagSource.ShiftRight or FlagSource.ShiftArithmetic, Sign):
                _w.Load(_result);
                PushIsNegative();
                return true;
            case (FlagSource.Logic, LessOrEqual):
                _w.Load(_result);
                Narrow(isSigned: true);
                PushZero();
                _w.Emit(OpCodes.Cgt);
                _w.Not();
                return true;
            case (FlagSource.Add, Carry):
                PushCarry();
                _w.Emit(OpCodes.Conv_I4);
                return true;
            case (FlagSource.Increment or FlagSource.Decrement, Carry):
                _w.Load(_carry);
                _w.Emit(OpCodes.Conv_I4);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Pushes CF as 0 or 1, of 64 bits.</summary>
    private void PushCarry()
    {
        switch (Kind)
        {
            case FlagSource.Subtract:
                PushOperands(isSigned: false);
                _w.Emit(OpCodes.Clt_Un);
                _w.Emit(OpCodes.Conv_U8);
                break;
            case FlagSource.Add:
                // The carry out of the highest bit, which holds with a carry in too.
                _w.Load(_a);
                _w.Load(_b);
                _w.Emit(OpCodes.And);
                _w.Load(_a);
                _w.Load(_b);
                _w.Emit(OpCodes.Or);
                _w.Load(_result);
                _w.Emit(OpCodes.Not);
                _w.Emit(OpCodes.And);
                _w.Emit(OpCodes.Or);
                _w.Int32((8 * FlagSize) - 1);
                _w.Emit(OpCodes.Shr_Un);
                _w.Int64(1);
                _w.Emit(OpCodes.And);
                break;
            case FlagSource.Logic:
                _w.Int64(0);
                break;
            case FlagSource.Increment or FlagSource.Decrement:
                _w.Load(_carry);
                break;
            default:
                StoreFlagSource(_flags);
                PushFlags();
                _w.Call(Members.CarryOf);
                break;
        }
    }

    /// <summary>Sets the variable for CF, which increments leave as it is.</summary>
    private void KeepCarry()
    {
        if (Kind is FlagSource.Increment or FlagSource.Decrement)
        {
            return;
        }

        if (_flags != FlagSource.Dynamic)
        {
            PushCarry();
            _w.Store(_carry);
            return;
        }

        // In a loop it is kept already from the second time on.
        Label kept = _w.NewLabel();
        Label ask = _w.NewLabel();
        _w.Load(_source);
        _w.Int32((int)FlagSource.Increment);
        _w.Emit(OpCodes.Blt, ask);
        _w.Load(_source);
        _w.Int32((int)(FlagSource.Decrement | FlagSource.SizeMask));
        _w.Emit(OpCodes.Bgt, ask);
        _w.Mark(kept);
        _outOfLine.Add(() =>
        {
            _w.Mark(ask);
            PushFlags();
            _w.Call(Members.CarryOf);
            _w.Store(_carry);
            _w.Emit(OpCodes.Br, kept);
        });
    }

    private void PushOperands(bool isSigned)
    {
        _w.Load(_a);
        Narrow(isSigned);
        _w.Load(_b);
        Narrow(isSigned);
    }

    private void PushIsNegative()
    {
        Narrow(isSigned: true);
        PushZero();
        _w.Emit(OpCodes.Clt);
    }

    /// <summary>Cuts a value off at the size that the flags are about, to 32 or 64 bits for the host.</summary>
    private void Narrow(bool isSigned)
    {
        switch (FlagSize)
        {
            case 4: _w.Emit(isSigned ? OpCodes.Conv_I4 : OpCodes.Conv_U4); break;
            case 2: _w.Emit(isSigned ? OpCodes.Conv_I2 : OpCodes.Conv_U2); break;
            case 1: _w.Emit(isSigned ? OpCodes.Conv_I1 : OpCodes.Conv_U1); break;
        }
    }

    private void PushZero()
    {
        if (FlagSize == 8)
        {
            _w.Int64(0);
        }
        else
        {
            _w.Int32(0);
        }
    }
}

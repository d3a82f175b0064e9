using System.Reflection.Emit;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Shifts and rotations.</summary>
internal sealed partial class RegionCompiler
{
    private void WriteShift(MicroOp op, Site site, bool flagsAreSeen)
    {
        int count = OpTraits.ShiftCount(in op);
        void Compute()
        {
            PushShifted(op.Op, op.Size, () => _w.Int32(count));
            _w.Store(_new);
        }

        void Finish()
        {
            if (flagsAreSeen && count != 0)
            {
                _w.Int64((ulong)count);
                _w.Store(_right);
                SetFlagSource(ShiftSource(op.Op), op.Size, _left, _right, _new);
            }
        }

        Change(op, site, Compute, Finish);
    }

    /// <summary>A shift by CL. If that is zero the flags stay as they are, so which they are is only known when it runs.</summary>
    private void WriteVariableShift(MicroOp op, bool flagsAreSeen)
    {
        PushSource(in op, 1, default);
        _w.Int64(op.Size == 8 ? 63UL : 31);
        _w.Emit(OpCodes.And);
        _w.Store(_right);
        PushDestination(in op, default);
        _w.Store(_left);
        PushShifted(op.Op, op.Size, () =>
        {
            _w.Load(_right);
            _w.Emit(OpCodes.Conv_I4);
        });
        _w.Store(_new);
        _w.Load(_new);
        PopDestination(in op);
        if (!flagsAreSeen)
        {
            return;
        }

        Label unchanged = _w.NewLabel();
        StoreFlagSource(_flags);
        _w.Load(_right);
        _w.Int64(0);
        _w.Emit(OpCodes.Beq, unchanged);
        SetFlagSource(ShiftSource(op.Op), op.Size, _left, _right, _new);
        StoreFlagSource(_flags);
        _w.Mark(unchanged);
        _flags = FlagSource.Dynamic;
    }

    /// <summary>A rotation by an immediate: it changes CF and OF alone.</summary>
    private void WriteRotation(MicroOp op, bool flagsAreSeen)
    {
        int bits = 8 * op.Size;
        int turn = (int)op.Immediate & (bits - 1);
        int left = op.Op == Op.Rol ? turn : (bits - turn) & (bits - 1);
        if (flagsAreSeen && turn != 0)
        {
            SettleFlags();
        }

        PushDestination(in op, default);
        _w.ZeroExtend(op.Size);
        _w.Store(_left);
        _w.Load(_left);
        _w.Int32(left);
        _w.Emit(OpCodes.Shl);
        _w.Load(_left);
        _w.Int32((bits - left) & (bits - 1));
        _w.Emit(OpCodes.Shr_Un);
        _w.Emit(OpCodes.Or);
        _w.Store(_new);
        _w.Load(_new);
        PopDestination(in op);
        if (flagsAreSeen && turn != 0)
        {
            _w.Argument(ProcessorArgument);
            _w.Int32((int)op.Op);
            PushDestination(in op, default);
            _w.Int32(op.Size);
            _w.Call(Members.SetRotateFlags);
        }
    }

    /// <summary>Pushes <see cref="_left"/>, shifted.</summary>
    private void PushShifted(Op op, int size, Action pushCount)
    {
        _w.Load(_left);
        switch (op)
        {
            case Op.Shr: _w.ZeroExtend(size); break;
            case Op.Sar: _w.SignExtend(size); break;
        }

        pushCount();
        _w.Emit(op switch { Op.Shl => OpCodes.Shl, Op.Shr => OpCodes.Shr_Un, _ => OpCodes.Shr });
    }

    private static FlagSource ShiftSource(Op op) => op switch
    {
        Op.Shl => FlagSource.ShiftLeft,
        Op.Shr => FlagSource.ShiftRight,
        _ => FlagSource.ShiftArithmetic,
    };
}

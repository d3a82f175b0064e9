using System.Reflection.Emit;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Addition, subtraction, logic and comparison.</summary>
internal sealed partial class RegionCompiler
{
    private void WriteArithmetic(MicroOp op, Site site, bool flagsAreSeen)
    {
        if (op.Op is Op.Adc or Op.Sbb)
        {
            PushCarry();
            _w.Store(_carry);
        }

        PushSource(in op, op.Size, site);
        _w.Store(_right);

        void Compute()
        {
            _w.Load(_left);
            _w.Load(_right);
            _w.Emit(op.Op switch
            {
                Op.Add or Op.Adc => OpCodes.Add,
                Op.Sub or Op.Sbb => OpCodes.Sub,
                Op.And => OpCodes.And,
                Op.Or => OpCodes.Or,
                _ => OpCodes.Xor,
            });
            if (op.Op is Op.Adc or Op.Sbb)
            {
                _w.Load(_carry);
                _w.Emit(op.Op == Op.Adc ? OpCodes.Add : OpCodes.Sub);
            }

            _w.Store(_new);
        }

        void Finish()
        {
            if (!flagsAreSeen)
            {
                return;
            }

            switch (op.Op)
            {
                case Op.Add or Op.Adc: SetFlagSource(FlagSource.Add, op.Size, _left, _right, _new); break;
                case Op.Sub: SetFlagSource(FlagSource.Subtract, op.Size, _left, _right, null); break;
                case Op.Sbb: SetFlagSource(FlagSource.SubtractWithBorrow, op.Size, _left, _right, _new); break;
                default: SetFlagSource(FlagSource.Logic, op.Size, null, null, _new); break;
            }
        }

        Change(op, site, Compute, Finish);
    }

    /// <summary>Reads the destination into <see cref="_left"/>, lets <see cref="_new"/> be computed and writes that back.</summary>
    private void Change(MicroOp op, Site site, Action compute, Action finish)
    {
        if (op.Destination == OperandKind.Memory)
        {
            PushAddress(in op);
            ChangeMemory(site, op.Size, compute, finish);
            return;
        }

        PushDestination(in op, site);
        _w.Store(_left);
        compute();
        _w.Load(_new);
        PopDestination(in op);
        finish();
    }

    private void WriteComparison(in MicroOp op, Site site, bool flagsAreSeen)
    {
        PushDestination(in op, site);
        _w.Store(_left);
        PushSource(in op, op.Size, site);
        _w.Store(_right);
        if (!flagsAreSeen)
        {
            return;
        }

        if (op.Op == Op.Cmp)
        {
            SetFlagSource(FlagSource.Subtract, op.Size, _left, _right, null);
            return;
        }

        _w.Load(_left);
        _w.Load(_right);
        _w.Emit(OpCodes.And);
        _w.Store(_new);
        SetFlagSource(FlagSource.Logic, op.Size, null, null, _new);
    }

    private void WriteUnary(MicroOp op, Site site, bool flagsAreSeen)
    {
        if (op.Op is Op.Inc or Op.Dec && flagsAreSeen)
        {
            KeepCarry();
        }

        void Compute()
        {
            switch (op.Op)
            {
                case Op.Neg or Op.Not:
                    _w.Load(_left);
                    _w.Emit(op.Op == Op.Neg ? OpCodes.Neg : OpCodes.Not);
                    break;
                default:
                    _w.Load(_left);
                    _w.Int64(1);
                    _w.Emit(op.Op == Op.Inc ? OpCodes.Add : OpCodes.Sub);
                    break;
            }

            _w.Store(_new);
        }

        void Finish()
        {
            if (!flagsAreSeen)
            {
                return;
            }

            switch (op.Op)
            {
                case Op.Inc: SetFlagSource(FlagSource.Increment, op.Size, null, null, _new); break;
                case Op.Dec: SetFlagSource(FlagSource.Decrement, op.Size, null, null, _new); break;
                case Op.Neg:
                    _w.Int64(0);
                    _w.Store(_right);
                    SetFlagSource(FlagSource.Subtract, op.Size, _right, _left, null);
                    break;
            }
        }

        Change(op, site, Compute, Finish);
    }

    /// <summary>Notes what the flags follow from, from here on.</summary>
    private void SetFlagSource(FlagSource kind, int size, LocalBuilder? a, LocalBuilder? b, LocalBuilder? result)
    {
        Copy(a, _a);
        Copy(b, _b);
        Copy(result, _result);
        _flags = kind | (FlagSource)size;
    }

    private void Copy(LocalBuilder? from, LocalBuilder to)
    {
        if (from is not null)
        {
            _w.Load(from);
            _w.Store(to);
        }
    }
}

using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds memory operands of a trace that lie beside each other, so that one translation serves them all. It decides what is
/// worthwhile; whether the translation still holds where an operand is used, the emitter itself knows.
/// </summary>
/// <param name="map">Where the guest's registers are.</param>
internal sealed class SpanPlanner(RegisterMap map)
{
    /// <summary>The more bytes a span has, the more often it crosses the end of a page.</summary>
    private const int MostBytes = 256;

    private readonly List<(int Item, MemoryUse Use)> _members = [];
    private readonly List<SpanPlace> _places = [];
    private bool _isWritten;

    /// <summary>Wider than addresses: two may be further apart than 63 bits can say, and the end of one may be behind the last address.</summary>
    private Int128 _first;
    private Int128 _end;
    private int _spans;

    /// <summary>How far the stack pointer was moved since the trace began, or since it was last changed in another way.</summary>
    private long _moved;

    /// <summary>Whether the trace can be left between the instructions of the span.</summary>
    private bool _hasExit;

    /// <summary>The place of each instruction.</summary>
    public List<SpanPlace> Plan(List<TraceOp> trace)
    {
        _places.Clear();
        (_spans, _moved) = (0, 0);
        for (int i = 0; i < trace.Count; i++)
        {
            _places.Add(default);
            TraceOp place = trace[i];
            if (MemoryUse.Of(in place) is { } use)
            {
                Add(i, IsOnStack(in use) ? use with { Displacement = use.Displacement + _moved } : use);
            }

            Pass(in place);
        }

        Finish();
        return _places;
    }

    private static bool IsOnStack(in MemoryUse use) => use.Base == GeneralRegister.Rsp && use.Index == MicroOp.ZeroRegister;

    private void Add(int item, in MemoryUse use)
    {
        if (_members.Count > 0)
        {
            MemoryUse other = _members[0].Use;
            var first = Int128.Min(_first, use.Displacement);
            var end = Int128.Max(_end, (Int128)use.Displacement + use.Size);

            // What may not be written, and is only read if the trace is left before the write, must not fail each time.
            if ((other.Base, other.Index, other.Scale, other.Segment) == (use.Base, use.Index, use.Scale, use.Segment)
                && end - first <= MostBytes && (!use.IsWrite || _isWritten || !_hasExit))
            {
                (_first, _end) = (first, end);
                _isWritten |= use.IsWrite;
                _members.Add((item, use));
                return;
            }
        }

        Finish();
        (_first, _end) = (use.Displacement, (Int128)use.Displacement + use.Size);
        (_isWritten, _hasExit) = (use.IsWrite, false);
        _members.Add((item, use));
    }

    private void Finish()
    {
        if (_members.Count > 1)
        {
            _spans++;
            foreach ((int item, MemoryUse use) in _members)
            {
                _places[item] = new SpanPlace(
                    _spans, item == _members[0].Item, checked((int)(use.Displacement - _first)), checked((int)(_end - _first)), _isWritten);
            }
        }

        _members.Clear();
    }

    /// <summary>What an instruction does to the span, and to the stack pointer.</summary>
    private void Pass(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        _hasExit |= op.Op == Op.Jcc;
        bool isVector = op.Op == Op.Vector;
        bool isEmitted = isVector ? VectorTraits.IsEmitted(in op, place.Bytes) : Emittable.IsEmitted(in op);
        int written = !isEmitted ? 0xFFFF : isVector ? VectorTraits.GeneralResult(in op) : OpTraits.WrittenRegisters(in op);
        long? moved = !isEmitted ? null : (written & (1 << GeneralRegister.Rsp)) == 0 ? 0 : isVector ? null : DistanceOf(in op);
        _moved = moved is { } distance ? _moved + distance : 0;
        if (_members.Count == 0)
        {
            return;
        }

        int used = _members[0].Use.Registers;
        bool isStack = IsOnStack(_members[0].Use);
        if (!isEmitted || !KeepsTranslation(in place) || (isStack ? moved is null : (written & used) != 0))
        {
            Finish();
        }
    }

    /// <summary>How far an instruction that changes the stack pointer moves it; nothing if it changes it in another way.</summary>
    private static long? DistanceOf(in MicroOp op)
    {
        const int Slot = 8;
        bool isOfPointer = op is { Destination: OperandKind.Register, DestinationRegister: GeneralRegister.Rsp };
        return op.Op switch
        {
            Op.Push => -Slot,
            Op.Pop when !isOfPointer => Slot,
            Op.Add when isOfPointer && op is { Size: 8, Source: OperandKind.Immediate } => (long)(int)op.Immediate,
            Op.Sub when isOfPointer && op is { Size: 8, Source: OperandKind.Immediate } => -(long)(int)op.Immediate,
            Op.Lea when isOfPointer && op is { Size: 8, Base: GeneralRegister.Rsp, Index: MicroOp.ZeroRegister, Address32: false } => (long)(int)op.Displacement,
            _ => null,
        };
    }

    /// <summary>Whether the code of an instruction leaves the translated address where it is.</summary>
    private bool KeepsTranslation(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        bool hasMemory = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;
        if (op.Op == Op.Vector)
        {
            return !hasMemory || MemoryUse.Of(in place) is not null;
        }

        bool isMapped = op.Destination != OperandKind.Register || map[op.DestinationRegister] != Operand.None;
        return op.Op switch
        {
            Op.Nop or Op.Jcc or Op.Jmp or Op.Push => !hasMemory || op.Op != Op.Push,
            Op.Pop => isMapped && map[GeneralRegister.Rsp] != Operand.None,
            Op.Lea => isMapped && IsMapped(op.Base) && (long)op.Displacement == (int)op.Displacement && op.Size > 2,
            Op.Mov or Op.Movzx or Op.Movsx or Op.Setcc or Op.Cmovcc or Op.Imul or Op.Test or Op.Cmp
                or Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor
                or Op.Inc or Op.Dec or Op.Neg or Op.Not or Op.Shl or Op.Shr or Op.Sar or Op.Rol or Op.Ror =>
                op.Destination != OperandKind.HighByte && op.Source != OperandKind.HighByte
                && (!hasMemory || MemoryUse.Of(in place) is not null),
            Op.Cbw or Op.Cwd or Op.Bswap or Op.Clc or Op.Stc or Op.Cmc => isMapped,
            _ => false,
        };
    }

    private bool IsMapped(int register) => register == MicroOp.ZeroRegister || map[register] != Operand.None;
}

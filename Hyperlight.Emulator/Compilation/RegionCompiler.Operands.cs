using System.Reflection.Emit;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Operands. Values have 64 bits; those above an operand's size are arbitrary unless said otherwise.</summary>
internal sealed partial class RegionCompiler
{
    private readonly LocalBuilder _left;
    private readonly LocalBuilder _right;
    private readonly LocalBuilder _new;

    private LocalBuilder Register(int index) =>
        _registers[index] ?? throw new InvalidOperationException($"Register {index} has no variable.");

    private void PushRegister(int index) => _w.Load(Register(index));

    /// <summary>Pops a value into a register, or into its part of 8 or 16 bits.</summary>
    private void PopRegister(int index, int size)
    {
        _dirty |= 1 << index;
        if (size >= 4)
        {
            _w.ZeroExtend(size);
            _w.Store(Register(index));
            return;
        }

        _w.ZeroExtend(size);
        PushRegister(index);
        _w.Int64(size == 2 ? ~0xFFFFUL : ~0xFFUL);
        _w.Emit(OpCodes.And);
        _w.Emit(OpCodes.Or);
        _w.Store(Register(index));
    }

    /// <summary>Pops a value into the second byte of a register.</summary>
    private void PopHighByte(int index)
    {
        _dirty |= 1 << index;
        _w.ZeroExtend(1);
        _w.Int32(8);
        _w.Emit(OpCodes.Shl);
        PushRegister(index);
        _w.Int64(~0xFF00UL);
        _w.Emit(OpCodes.And);
        _w.Emit(OpCodes.Or);
        _w.Store(Register(index));
    }

    private void PushHighByte(int index)
    {
        PushRegister(index);
        _w.Int32(8);
        _w.Emit(OpCodes.Shr_Un);
    }

    /// <summary>Pushes the source; from memory it has zeros above its size.</summary>
    private void PushSource(in MicroOp op, int size, Site site)
    {
        switch (op.Source)
        {
            case OperandKind.Register:
                PushRegister(op.SourceRegister);
                break;
            case OperandKind.Immediate:
                _w.Int64(op.Immediate);
                break;
            case OperandKind.Memory:
                PushAddress(in op);
                LoadMemory(site, size, _right);
                _w.Load(_right);
                break;
            default:
                PushHighByte(op.SourceRegister);
                break;
        }
    }

    /// <summary>Pushes the destination, which is not written afterwards or is no memory.</summary>
    private void PushDestination(in MicroOp op, Site site)
    {
        switch (op.Destination)
        {
            case OperandKind.Register:
                PushRegister(op.DestinationRegister);
                break;
            case OperandKind.Immediate:
                _w.Int64(op.Immediate);
                break;
            case OperandKind.Memory:
                PushAddress(in op);
                LoadMemory(site, op.Size, _left);
                _w.Load(_left);
                break;
            default:
                PushHighByte(op.DestinationRegister);
                break;
        }
    }

    /// <summary>Pops a value into the destination, which is a register or a part of one.</summary>
    private void PopDestination(in MicroOp op)
    {
        if (op.Destination == OperandKind.HighByte)
        {
            PopHighByte(op.DestinationRegister);
        }
        else
        {
            PopRegister(op.DestinationRegister, op.Size);
        }
    }

    private void WriteMove(MicroOp op, Site site)
    {
        int size = op.Op == Op.Mov ? op.Size : op.SourceSize;
        PushSource(in op, size, site);
        if (op.Op == Op.Movzx)
        {
            _w.ZeroExtend(size);
        }
        else if (op.Op == Op.Movsx)
        {
            _w.SignExtend(size);
        }

        if (op.Destination == OperandKind.Memory)
        {
            _w.Store(_new);
            PushAddress(in op);
            StoreMemory(site, op.Size, _new, () => { });
        }
        else
        {
            PopDestination(in op);
        }
    }

    private void WriteExchange(in MicroOp op)
    {
        PushDestination(in op, default);
        _w.Store(_left);
        PushSource(in op, op.Size, default);
        PopDestination(in op);
        _w.Load(_left);
        if (op.Source == OperandKind.HighByte)
        {
            PopHighByte(op.SourceRegister);
        }
        else
        {
            PopRegister(op.SourceRegister, op.Size);
        }
    }

    private void WriteSet(MicroOp op, Site site)
    {
        PushCondition(op.Condition);
        _w.Emit(OpCodes.Conv_U8);
        if (op.Destination == OperandKind.Memory)
        {
            _w.Store(_new);
            PushAddress(in op);
            StoreMemory(site, op.Size, _new, () => { });
        }
        else
        {
            PopDestination(in op);
        }
    }

    private void WriteConditionalMove(in MicroOp op, Site site)
    {
        Label skipped = _w.NewLabel();
        PushSource(in op, op.Size, site);
        _w.Store(_new);
        PushCondition(op.Condition ^ 1);
        _w.Emit(OpCodes.Brtrue, skipped);
        _w.Load(_new);
        PopRegister(op.DestinationRegister, op.Size);
        _w.Mark(skipped);
        if (op.Size == 4)
        {
            // Its upper half is lost even if nothing is moved.
            PushRegister(op.DestinationRegister);
            PopRegister(op.DestinationRegister, op.Size);
        }
    }
}

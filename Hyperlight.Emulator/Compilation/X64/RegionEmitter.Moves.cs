using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Moves, and instructions that work on the stack.</summary>
internal sealed partial class RegionEmitter
{
    private const int StackSlot = 8;

    private void EmitMove(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, StateOffsets.WriteTag);
            if (op.Source == OperandKind.Immediate)
            {
                _a.Emit(op.Size, 0xC7 - byteForm, 0, Memory);
                _a.Immediate(Math.Min((int)op.Size, 4), (long)op.Immediate);
            }
            else
            {
                _a.Emit(op.Size, Mov - byteForm, Read(op.SourceRegister, Host.Entry), Memory);
            }

            return;
        }

        if (op.Source == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, StateOffsets.ReadTag);
        }

        if (op is { Size: 8, Source: OperandKind.Register } && _map[op.DestinationRegister] == Operand.None)
        {
            Set(op.DestinationRegister, Read(op.SourceRegister, Host.Entry));
            return;
        }

        int target = Prepare(op.DestinationRegister, Host.Entry, op.Size >= 4);
        if (op.Source != OperandKind.Immediate)
        {
            _a.Emit(op.Size, MovFrom - byteForm, target, Source(in op));
        }
        else if (op.Size >= 4)
        {
            LoadConstant(target, op.Size == 4 ? (uint)op.Immediate : op.Immediate);
        }
        else
        {
            _a.Emit(op.Size, 0xC7 - byteForm, 0, Operand.Of(target));
            _a.Immediate(op.Size, (long)op.Immediate);
        }

        Write(op.DestinationRegister, target);
    }

    private void EmitExtension(in MicroOp op)
    {
        if (op.Source == OperandKind.Memory)
        {
            TranslateOperand(in op, op.SourceSize, StateOffsets.ReadTag);
        }

        Operand source = Source(in op);
        int target = Prepare(op.DestinationRegister, Host.Entry, op.Size >= 4);
        bool isSigned = op.Op == Op.Movsx;
        if (op.SourceSize >= op.Size)
        {
            // MOVSXD without a wider destination.
            _a.Emit(op.Size, MovFrom, target, source);
        }
        else if (op.SourceSize == 4)
        {
            _a.Emit(op.Size, 0x63, target, source);
        }
        else
        {
            int opcode = (isSigned ? 0x0FBE : 0x0FB6) + (op.SourceSize == 2 ? 1 : 0);
            _a.Emit(op.Size == 2 ? 0x66 : 0, op.Size == 8, op.SourceSize == 1, opcode, target, source);
        }

        Write(op.DestinationRegister, target);
    }

    private void EmitLoadAddress(in MicroOp op)
    {
        if (op.Size == 2)
        {
            ComputeAddress(in op, Host.Address, isWide: true);
            int partial = Read(op.DestinationRegister, Host.Entry);
            _a.Emit(2, Mov, Host.Address, Operand.Of(partial));
            Write(op.DestinationRegister, partial);
            return;
        }

        bool isLong = op.Size == 8 && (long)op.Displacement != (int)op.Displacement;
        int host = _map[op.DestinationRegister];
        int target = host == Operand.None || isLong ? Host.Address : host;
        ComputeAddress(in op, target, op.Size == 8);
        if (target != host)
        {
            Set(op.DestinationRegister, target);
        }
    }

    private void EmitExchange(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, StateOffsets.WriteTag);
            int value = Read(op.SourceRegister, Host.Entry);
            _a.Emit(op.Size, 0x87 - byteForm, value, Memory);
            Write(op.SourceRegister, value);
            return;
        }

        int first = Read(op.DestinationRegister, Host.Address);
        int second = Read(op.SourceRegister, Host.Entry);
        _a.Emit(op.Size, 0x87 - byteForm, second, Operand.Of(first));
        Write(op.DestinationRegister, first);
        Write(op.SourceRegister, second);
    }

    private void EmitPush(in MicroOp op)
    {
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, StackSlot, StateOffsets.ReadTag);
            _a.Emit(8, MovFrom, Host.Address, Memory);
            _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.Scratch));
        }

        TranslateStack(GeneralRegister.Rsp, -StackSlot, StateOffsets.WriteTag);
        switch (op.Destination)
        {
            case OperandKind.Register:
                _a.Emit(8, Mov, Read(op.DestinationRegister, Host.Entry), Memory);
                break;
            case OperandKind.Immediate:
                StoreConstant(op.Immediate);
                break;
            default:
                _a.Emit(8, MovFrom, Host.Entry, Operand.State(StateOffsets.Scratch));
                _a.Emit(8, Mov, Host.Entry, Memory);
                break;
        }

        Advance(GeneralRegister.Rsp, -StackSlot);
    }

    /// <summary>Stores eight bytes into memory that was translated.</summary>
    private void StoreConstant(ulong value)
    {
        if ((long)value == (int)value)
        {
            _a.Emit(8, 0xC7, 0, Memory);
            _a.Immediate(4, (long)value);
            return;
        }

        LoadConstant(Host.Entry, value);
        _a.Emit(8, Mov, Host.Entry, Memory);
    }

    private void EmitPop(in MicroOp op)
    {
        TranslateStack(GeneralRegister.Rsp, 0, StateOffsets.ReadTag);
        int value = _map[GeneralRegister.Rsp] == Operand.None ? Host.Address : Host.Entry;
        _a.Emit(8, MovFrom, value, Memory);
        Advance(GeneralRegister.Rsp, StackSlot);
        Set(op.DestinationRegister, value);
    }

    private void EmitLeave()
    {
        TranslateStack(GeneralRegister.Rbp, 0, StateOffsets.ReadTag);
        _a.Emit(8, MovFrom, Host.Address, Memory);
        int frame = Read(GeneralRegister.Rbp, Host.Entry);
        _a.Emit(8, 0x8D, Host.Entry, Operand.At(frame, StackSlot));
        Set(GeneralRegister.Rsp, Host.Entry);
        Set(GeneralRegister.Rbp, Host.Address);
    }

    private void EmitSet(in MicroOp op)
    {
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, 1, StateOffsets.WriteTag);
            UseFlags();
            _a.Emit(1, 0x0F90 + op.Condition, 0, Memory);
            return;
        }

        UseFlags();
        int target = Read(op.DestinationRegister, Host.Entry);
        _a.Emit(1, 0x0F90 + op.Condition, 0, Operand.Of(target));
        Write(op.DestinationRegister, target);
    }

    private void EmitConditionalMove(in MicroOp op)
    {
        if (op.Source == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, StateOffsets.ReadTag);
        }

        UseFlags();
        Operand source = Source(in op);
        int target = Read(op.DestinationRegister, Host.Entry);
        _a.Emit(op.Size, 0x0F40 + op.Condition, target, source);
        Write(op.DestinationRegister, target);
    }
}

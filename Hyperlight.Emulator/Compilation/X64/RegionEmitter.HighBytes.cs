using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Instructions on the second byte of a register, which the host's encodings do not reach in all of its registers.</summary>
internal sealed partial class RegionEmitter
{
    private const int BitsOfByte = 8;

    /// <summary>
    /// Turns a destination's register so that its second byte is the first, and back behind the instruction. The source is taken
    /// before that: it may be of the same register.
    /// </summary>
    private void EmitWithHighByte(in MicroOp op)
    {
        FreeFlags();
        if (op.Destination != OperandKind.HighByte)
        {
            EmitFromHighByte(in op);
            return;
        }

        switch (op.Source)
        {
            case OperandKind.Register:
                _a.Emit(8, Mov, Read(op.SourceRegister, Host.Entry), Translation);
                break;
            case OperandKind.HighByte:
                LoadHighByte(op.SourceRegister);
                break;
            case OperandKind.Memory:
                TranslateOperand(in op, 1, StateOffsets.ReadTag);
                _a.Emit(0, false, true, 0x0FB6, Host.Entry, Memory);
                break;
        }

        int turned = Read(op.DestinationRegister, Host.Address);
        Turn(turned, isBack: false);
        if (op.Op is Op.Adc or Op.Sbb or Op.Inc or Op.Dec or Op.Setcc)
        {
            UseFlags();
        }

        EmitOnByte(in op, Operand.Of(turned));
        if (op.Op is not (Op.Mov or Op.Not or Op.Setcc))
        {
            FlagsAreNew();
        }

        FreeFlags();
        Turn(turned, isBack: true);
        Write(op.DestinationRegister, turned);
    }

    /// <summary>The source alone is a second byte.</summary>
    private void EmitFromHighByte(in MicroOp op)
    {
        if (op.Destination == OperandKind.Memory)
        {
            bool isWritten = op.Op is not (Op.Cmp or Op.Test);
            TranslateOperand(in op, 1, isWritten ? StateOffsets.WriteTag : StateOffsets.ReadTag);
        }

        LoadHighByte(op.SourceRegister);
        if (op.Op is Op.Movzx or Op.Movsx)
        {
            int extended = Read(op.DestinationRegister, Host.Address);
            _a.Emit(op.Size == 2 ? 0x66 : 0, op.Size == 8, true, op.Op == Op.Movzx ? 0x0FB6 : 0x0FBE, extended, Translation);
            Write(op.DestinationRegister, extended);
            return;
        }

        if (op.Op is Op.Adc or Op.Sbb)
        {
            UseFlags();
        }

        Operand destination = op.Destination == OperandKind.Memory ? Memory : Operand.Of(Read(op.DestinationRegister, Host.Address));
        EmitOnByte(in op, destination);
        if (destination.IsRegister)
        {
            Write(op.DestinationRegister, destination.Register);
        }

        if (op.Op != Op.Mov)
        {
            FlagsAreNew();
        }
    }

    /// <summary>The instruction itself, on bytes: the source is an immediate or in the entry register.</summary>
    private void EmitOnByte(in MicroOp op, in Operand destination)
    {
        if (op.Op == Op.Setcc)
        {
            _a.Emit(1, 0x0F90 + op.Condition, 0, destination);
        }
        else if (op.Op is Op.Inc or Op.Dec)
        {
            _a.Emit(1, 0xFE, op.Op == Op.Inc ? 0 : 1, destination);
        }
        else if (op.Op is Op.Not or Op.Neg)
        {
            _a.Emit(1, 0xF6, op.Op == Op.Not ? 2 : 3, destination);
        }
        else if (op.Source == OperandKind.Immediate)
        {
            (int opcode, int extension) = op.Op switch { Op.Mov => (0xC6, 0), Op.Test => (0xF6, 0), _ => (0x80, GroupOf(op.Op)) };
            _a.Emit(1, opcode, extension, destination);
            _a.Byte((byte)op.Immediate);
        }
        else
        {
            int opcode = op.Op switch { Op.Mov => 0x88, Op.Test => 0x84, _ => GroupOf(op.Op) << 3 };
            _a.Emit(1, opcode, Host.Entry, destination);
        }
    }

    /// <summary>Puts the second byte of a guest's register into the entry register. The flags are free.</summary>
    private void LoadHighByte(int guest)
    {
        _a.Emit(4, Mov, Read(guest, Host.Entry), Translation);
        _a.Emit(4, 0xC1, 5, Translation);
        _a.Byte(BitsOfByte);
    }

    private void Turn(int register, bool isBack)
    {
        _a.Emit(8, 0xC1, isBack ? 0 : 1, Operand.Of(register));
        _a.Byte(BitsOfByte);
    }
}

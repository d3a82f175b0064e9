using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Addition, subtraction, logic, comparison and shifts.</summary>
internal sealed partial class RegionEmitter
{
    private void EmitArithmetic(in MicroOp op)
    {
        int group = GroupOf(op.Op);
        bool isWritten = op.Op != Op.Cmp;
        int byteForm = op.Size == 1 ? 1 : 0;
        TranslateOperands(in op, isWritten);
        if (op.Op is Op.Adc or Op.Sbb)
        {
            UseFlags();
        }

        if (op.Source == OperandKind.Memory)
        {
            int target = Read(op.DestinationRegister, Host.Entry);
            _a.Emit(op.Size, (group << 3) + 3 - byteForm, target, Memory);
            WriteIf(isWritten, op.DestinationRegister, target);
        }
        else
        {
            Operand destination = DirectDestination(in op, isWritten);
            if (op.Source == OperandKind.Immediate)
            {
                EmitImmediate(in op, group, in destination);
            }
            else if (destination.IsRegister && _map[op.SourceRegister] == Operand.None)
            {
                _a.Emit(op.Size, (group << 3) + 3 - byteForm, destination.Register, Place(op.SourceRegister));
            }
            else
            {
                _a.Emit(op.Size, (group << 3) + 1 - byteForm, Read(op.SourceRegister, Host.Entry), destination);
            }

            WriteIf(isWritten && destination.IsRegister, op.DestinationRegister, destination.Register);
        }

        FlagsAreNew();
    }

    /// <summary>How the encodings number additions, comparisons and what is between.</summary>
    private static int GroupOf(Op op) => op switch
    {
        Op.Add => 0,
        Op.Or => 1,
        Op.Adc => 2,
        Op.Sbb => 3,
        Op.And => 4,
        Op.Sub => 5,
        Op.Xor => 6,
        _ => 7,
    };

    private void EmitImmediate(in MicroOp op, int group, in Operand destination)
    {
        long value = op.Size switch { 8 => (int)op.Immediate, 4 => (int)op.Immediate, 2 => (short)op.Immediate, _ => (sbyte)op.Immediate };
        bool isShort = op.Size > 1 && value == (sbyte)value;
        _a.Emit(op.Size, op.Size == 1 ? 0x80 : isShort ? 0x83 : 0x81, group, destination);
        _a.Immediate(isShort ? 1 : Math.Min((int)op.Size, 4), value);
    }

    private void EmitTest(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        TranslateOperands(in op, isWritten: false);
        Operand destination = DirectDestination(in op, isWritten: false);
        if (op.Source == OperandKind.Immediate)
        {
            _a.Emit(op.Size, 0xF7 - byteForm, 0, destination);
            _a.Immediate(Math.Min((int)op.Size, 4), (long)op.Immediate);
        }
        else if (op.Source == OperandKind.Memory)
        {
            _a.Emit(op.Size, 0x85 - byteForm, Read(op.DestinationRegister, Host.Entry), Memory);
        }
        else
        {
            _a.Emit(op.Size, 0x85 - byteForm, Read(op.SourceRegister, Host.Entry), destination);
        }

        FlagsAreNew();
    }

    private void EmitUnary(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        TranslateOperands(in op, isWritten: true);
        if (op.Op is Op.Inc or Op.Dec)
        {
            // CF stays as it is.
            UseFlags();
        }

        Operand destination = DirectDestination(in op, isWritten: true);
        (int opcode, int extension) = op.Op switch { Op.Inc => (0xFF, 0), Op.Dec => (0xFF, 1), Op.Not => (0xF7, 2), _ => (0xF7, 3) };
        _a.Emit(op.Size, opcode - byteForm, extension, destination);
        WriteIf(destination.IsRegister, op.DestinationRegister, destination.Register);
        if (op.Op != Op.Not)
        {
            FlagsAreNew();
        }
    }

    private void EmitShift(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        int extension = op.Op switch { Op.Rol => 0, Op.Ror => 1, Op.Shl => 4, Op.Shr => 5, _ => 7 };
        TranslateOperands(in op, isWritten: true);
        bool isByCount = op.Source == OperandKind.Register;
        if (isByCount || op.Op is Op.Rol or Op.Ror || OpTraits.ShiftCount(in op) == 0)
        {
            // Some flags stay as they are, or all.
            UseFlags();
        }

        Operand destination = DirectDestination(in op, isWritten: true);
        _a.Emit(op.Size, (isByCount ? 0xD3 : 0xC1) - byteForm, extension, destination);
        if (!isByCount)
        {
            _a.Byte((byte)op.Immediate);
        }

        WriteIf(destination.IsRegister, op.DestinationRegister, destination.Register);
        FlagsAreNew();
    }

    private void EmitDoubleShift(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: true);

        // Without a count they all stay as they are.
        UseFlags();
        Operand destination = Destination(in op);
        int opcode = (op.Op == Op.Shld ? 0x0FA4 : 0x0FAC) + (op.HasThirdOperand ? 0 : 1);
        _a.Emit(op.Size, opcode, Read(op.SourceRegister, Host.Entry), destination);
        if (op.HasThirdOperand)
        {
            _a.Byte((byte)op.Immediate);
        }

        WriteIf(destination.IsRegister, op.DestinationRegister, destination.Register);
        FlagsAreNew();
    }

    /// <summary>Memory alone: a register as destination could be RAX, which the host's instruction uses as well.</summary>
    private void EmitCompareExchange(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: true);
        int source = Read(op.SourceRegister, Host.Entry);
        LoadRax();
        _a.Emit(op.Size, op.Size == 1 ? 0x0FB0 : 0x0FB1, source, Memory);
        Set(GeneralRegister.Rax, Host.Rax);
        FlagsAreNew();
    }

    private void EmitExchangeAdd(in MicroOp op)
    {
        TranslateOperands(in op, isWritten: true);
        int source = Read(op.SourceRegister, Host.Entry);
        _a.Emit(op.Size, op.Size == 1 ? 0x0FC0 : 0x0FC1, source, Memory);
        Write(op.SourceRegister, source);
        FlagsAreNew();
    }

    /// <summary>Translates the operand in memory, if there is one.</summary>
    private void TranslateOperands(in MicroOp op, bool isWritten)
    {
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, isWritten ? StateOffsets.WriteTag : StateOffsets.ReadTag);
        }
        else if (op.Source == OperandKind.Memory)
        {
            TranslateOperand(in op, op.Size, StateOffsets.ReadTag);
        }
    }

    private Operand Destination(in MicroOp op) =>
        op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory
            ? Memory
            : Operand.Of(Read(op.DestinationRegister, Host.Address));

    /// <summary>
    /// The same, or a register's field of the state: one that is written must be written as a whole. It keeps the translated
    /// address; a register of the source must not be put into the entry register if this is a register.
    /// </summary>
    private Operand DirectDestination(in MicroOp op, bool isWritten) =>
        op.Destination == OperandKind.Memory ? Memory
        : op.Size == 8 || !isWritten ? Place(op.DestinationRegister)
        : Operand.Of(Read(op.DestinationRegister, Host.Entry));

    private void WriteIf(bool isWritten, int guest, int host)
    {
        if (isWritten)
        {
            Write(guest, host);
        }
    }
}

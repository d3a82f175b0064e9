using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Instructions on single bits, and those that count them.</summary>
internal sealed partial class RegionEmitter
{
    private void EmitBitTest(in MicroOp op)
    {
        int group = op.Op switch { Op.Bt => 4, Op.Bts => 5, Op.Btr => 6, _ => 7 };
        TranslateOperands(in op, isWritten: op.Op != Op.Bt);

        // CF alone changes.
        UseFlags();
        Operand destination = Destination(in op);
        if (op.Source == OperandKind.Immediate)
        {
            _a.Emit(op.Size, 0x0FBA, group, destination);
            _a.Byte((byte)op.Immediate);
        }
        else
        {
            _a.Emit(op.Size, 0x0F83 | (group << 3), Read(op.SourceRegister, Host.Entry), destination);
        }

        WriteIf(op.Op != Op.Bt && destination.IsRegister, op.DestinationRegister, destination.Register);
        FlagsAreNew();
    }

    private void EmitBitScan(in MicroOp op)
    {
        const int Repeat = 0xF3;
        TranslateOperands(in op, isWritten: false);
        Operand source = Source(in op);
        bool isScan = op.Op is Op.Bsf or Op.Bsr;
        if (isScan)
        {
            // What processors do with zero differs between them.
            FreeFlags();
            _a.Emit(op.Size, 0x83, 7, source);
            _a.Byte(0);
            _a.JumpIf(Equal, Slow);
        }

        int target = Read(op.DestinationRegister, op.Source == OperandKind.Memory ? Host.Entry : Host.Address);
        int opcode = op.Op switch { Op.Popcnt => 0x0FB8, Op.Bsr or Op.Lzcnt => 0x0FBD, _ => 0x0FBC };
        if (!isScan && op.Size == 2)
        {
            _a.Byte(0x66);
        }

        if (isScan)
        {
            _a.Emit(op.Size, opcode, target, source);
        }
        else
        {
            _a.Emit(Repeat, op.Size == 8, false, opcode, target, source);
        }

        Write(op.DestinationRegister, target);
        FlagsAreNew();
    }
}

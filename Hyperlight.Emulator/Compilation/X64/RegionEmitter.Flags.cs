using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Flags. The host's own are the guest's from an instruction that sets them up to one that changes the host's for another
/// purpose; before that they are saved in RAX, which two instructions do, and two others bring them back.
/// </summary>
internal sealed partial class RegionEmitter
{
    private const int Equal = 4;
    private const int NotEqual = 5;
    private const int BelowOrEqual = 6;
    private const int Above = 7;
    private const int AboveOrEqual = 3;
    private const int Negative = 8;

    private FlagPlace _flags;

    /// <summary>The instruction of the trace from which flags are computed again, or -1 if they are saved.</summary>
    private int _flagSource = -1;

    /// <summary>From here on they are in RAX, perhaps in the host's flags as well.</summary>
    private void SaveFlags()
    {
        if (_flags == FlagPlace.Computed)
        {
            throw new InvalidOperationException("Flags are saved that are not there any more.");
        }

        if (_flags == FlagPlace.Host)
        {
            // LAHF, SETO AL.
            _a.Bytes(0x9F, 0x0F, 0x90, 0xC0);
            _flags = FlagPlace.Both;
        }
    }

    /// <summary>From here on they are in RAX, and the host's flags are free for other use.</summary>
    private void FreeFlags()
    {
        if (_flagSource >= 0 && _flags is FlagPlace.Host or FlagPlace.Computed)
        {
            _flags = FlagPlace.Computed;
            return;
        }

        SaveFlags();
        _flags = FlagPlace.Saved;
    }

    /// <summary>From here on they are in the host's flags, perhaps in RAX as well.</summary>
    private void UseFlags()
    {
        if (_flags == FlagPlace.Computed)
        {
            throw new InvalidOperationException("Flags are used that were not saved.");
        }

        if (_flags == FlagPlace.Saved)
        {
            RestoreFlags();
            _flags = FlagPlace.Both;
        }
    }

    /// <summary>CMP AL, -127, which overflows if AL is one, and SAHF.</summary>
    private void RestoreFlags() => _a.Bytes(0x3C, 0x81, 0x9E);

    /// <summary>The instruction just emitted set them.</summary>
    private void FlagsAreNew()
    {
        _flags = FlagPlace.Host;
        _flagSource = !_isCopy && _computedAgain[_item] ? _item : -1;
    }

    /// <summary>
    /// Sets the host's flags as an instruction has left them, whose operands are still in their registers. The entry register is
    /// free.
    /// </summary>
    private void ComputeFlags(in MicroOp op)
    {
        int byteForm = op.Size == 1 ? 1 : 0;
        Operand destination = Operand.Of(_map[op.DestinationRegister]);
        switch (op.Op)
        {
            case Op.Add or Op.Sub:
                _a.Emit(8, Mov, _map[op.DestinationRegister], Translation);
                EmitOperation(in op, GroupOf(op.Op == Op.Add ? Op.Sub : Op.Add), Translation);
                EmitOperation(in op, GroupOf(op.Op), Translation);
                break;
            case Op.Cmp:
                EmitOperation(in op, GroupOf(op.Op), in destination);
                break;
            case Op.Test when op.Source == OperandKind.Immediate:
                _a.Emit(op.Size, 0xF7 - byteForm, 0, destination);
                _a.Immediate(Math.Min((int)op.Size, 4), (long)op.Immediate);
                break;
            case Op.Test:
                _a.Emit(op.Size, 0x85 - byteForm, _map[op.SourceRegister], destination);
                break;
            default:
                _a.Emit(op.Size, 0x85 - byteForm, destination.Register, destination);
                break;
        }
    }

    private void EmitOperation(in MicroOp op, int group, in Operand destination)
    {
        if (op.Source == OperandKind.Immediate)
        {
            EmitImmediate(in op, group, in destination);
        }
        else
        {
            _a.Emit(op.Size, (group << 3) + (op.Size == 1 ? 0 : 1), _map[op.SourceRegister], destination);
        }
    }
}

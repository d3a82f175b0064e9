using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>The guest's registers: those in registers of the host, and the others by way of a temporary one. Keeps the flags.</summary>
internal sealed partial class RegionEmitter
{
    /// <summary>A register of the host with the value of a guest's: its own, or the temporary one.</summary>
    private int Read(int guest, int temporary)
    {
        int host = _map[guest];
        if (host != Operand.None)
        {
            return host;
        }

        _a.Emit(8, MovFrom, temporary, Operand.State(StateOffsets.Register(guest)));
        return temporary;
    }

    /// <summary>
    /// A register of the host for a value of a guest's register: with the present one, unless all of it is about to be replaced.
    /// </summary>
    private int Prepare(int guest, int temporary, bool isReplaced) =>
        isReplaced && _map[guest] == Operand.None ? temporary : Read(guest, temporary);

    /// <summary>Where a guest's register is.</summary>
    private Operand Place(int guest) => _map[guest] == Operand.None
        ? Operand.State(StateOffsets.Register(guest))
        : Operand.Of(_map[guest]);

    /// <summary>Makes a changed value the guest's, if it is in a temporary register.</summary>
    private void Write(int guest, int host)
    {
        if (_map[guest] == Operand.None)
        {
            _a.Emit(8, Mov, host, Operand.State(StateOffsets.Register(guest)));
        }
    }

    /// <summary>Gives a guest's register the whole value of one of the host.</summary>
    private void Set(int guest, int host) =>
        _a.Emit(8, Mov, host, Place(guest));

    /// <summary>Adds to a guest's register.</summary>
    private void Advance(int guest, int distance)
    {
        int host = Read(guest, Host.Entry);
        _a.Emit(8, 0x8D, host, Operand.At(host, distance));
        Write(guest, host);
    }

    /// <summary>The source, which is a register, a field of the state, or memory that was translated.</summary>
    private Operand Source(in MicroOp op) =>
        op.Source == OperandKind.Memory ? Memory : Place(op.SourceRegister);
}

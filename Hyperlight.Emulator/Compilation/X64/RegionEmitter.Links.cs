using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// How execution goes on at an address that the region's code does not name: in emitted code that the machine's
/// <see cref="LinkTable"/> has, or behind the region, where the processor finds the code. Guest registers are in the state
/// between two regions, as each has its own registers of the host for them; the flags stay in RAX.
/// </summary>
internal sealed partial class RegionEmitter
{
    private int _linkedEntry;
    private int _goOn;

    /// <summary>Where another region goes on with the block whose code's address is in the address register.</summary>
    private void EmitLinkedEntry()
    {
        _a.Mark(_linkedEntry);
        KeepHostVectors(restores: false);
        ReadRegisters();
        _a.Emit(8, 0xFF, 4, Operand.Of(Host.Address));
    }

    /// <summary>
    /// Goes on at the guest's address in the address register. The exit follows.
    /// </summary>
    private void EmitLink()
    {
        int isMissing = _a.NewLabel();
        int isOwn = _a.NewLabel();
        _a.Mark(_goOn);
        FindLink(isMissing);

        // A block of this region needs no registers exchanged.
        _a.LoadLabel(Host.Address, _linkedEntry);
        _a.Emit(8, 0x3B, Host.Address, Operand.At(Host.Entry, StateOffsets.LinkedRegion));
        _a.JumpIf(Equal, isOwn);
        WriteRegisters();
        KeepHostVectors(restores: true);
        _a.Emit(8, Mov, Host.Entry, Operand.State(StateOffsets.Linked));
        _a.Emit(8, MovFrom, Host.Address, Operand.At(Host.Entry, StateOffsets.LinkedBlock));
        _a.Emit(4, 0xFF, 4, Operand.At(Host.Entry, StateOffsets.LinkedRegion));

        _a.Mark(isOwn);
        _a.Emit(4, 0xFF, 4, Operand.At(Host.Entry, StateOffsets.LinkedBlock));

        _a.Mark(isMissing);
        LoadConstant(Host.Entry, (ulong)RegionExit.Continue);
    }

    /// <summary>Puts the table's entry of the guest's address, which is in one of a few places, into the entry register.</summary>
    private void FindLink(int isMissing)
    {
        _a.Emit(4, 0x69, Host.Entry, GuestAddress);
        _a.Immediate(4, LinkTable.Multiplier);
        _a.Emit(4, 0xC1, 5, Translation);
        _a.Byte(32 - LinkTable.MostIndexBits - LinkEntry.Shift);
        _a.Emit(4, 0x23, Host.Entry, Operand.State(StateOffsets.LinkMask));
        _a.Emit(8, 0x03, Host.Entry, Operand.State(StateOffsets.Links));
        int isFound = _a.NewLabel();
        for (int place = 1; place < LinkTable.Places; place++)
        {
            _a.Emit(8, 0x3B, Host.Address, Operand.At(Host.Entry, StateOffsets.LinkedRip));
            _a.JumpIf(Equal, isFound);
            _a.Emit(8, 0x83, 6, Translation);
            _a.Byte((byte)((place ^ (place - 1)) << LinkEntry.Shift));
        }

        _a.Emit(8, 0x3B, Host.Address, Operand.At(Host.Entry, StateOffsets.LinkedRip));
        _a.JumpIf(NotEqual, isMissing);
        _a.Mark(isFound);
    }
}

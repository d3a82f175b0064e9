using System.Runtime.Intrinsics.X86;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Memory. The translation of an address is looked up in line; what it does not permit, or what crosses a page, the
/// interpreter does. A host address comes from the translation that was compared last, and from nowhere else.
/// </summary>
internal sealed partial class RegionEmitter
{
    /// <summary>What <see cref="MicroOp.Segment"/> is for FS.</summary>
    private const int FsSegment = 4;

    /// <summary>Where the guest's memory is after <see cref="Translate"/>.</summary>
    private Operand Memory => Operand.At(Host.Address, _offset);

    private static readonly Operand GuestAddress = Operand.Of(Host.Address);
    private static readonly Operand Translation = Operand.Of(Host.Entry);

    /// <summary>Where the instruction goes that the interpreter has to execute; none so far.</summary>
    private int? _slow;

    /// <summary>Where it goes once the flags are saved.</summary>
    private int _slowInterpret;

    private int Slow => _slow ??= NewSlow();

    /// <summary>The flags that the interpreter wants are those at this point.</summary>
    private int NewSlow() => NewInterpreted(out _slowInterpret);

    /// <summary>A place for which flags are in RAX that are computed again otherwise.</summary>
    /// <param name="interpret">Where they are.</param>
    /// <returns>Where to go.</returns>
    private int NewInterpreted(out int interpret)
    {
        int label = _a.NewLabel();
        interpret = label;
        if (_flags == FlagPlace.Computed)
        {
            interpret = _a.NewLabel();
            _outOfLine.Add(new OutOfLine(OutOfLineKind.ComputeFlags, label, interpret, Source: _trace[_flagSource]));
        }

        return label;
    }

    /// <summary>
    /// Translates the operand's address. Nothing of the instruction may have been done before. The flags are where they were, or
    /// saved.
    /// </summary>
    private void TranslateOperand(in MicroOp op, int size, int tag)
    {
        if (IsTranslated(size, tag))
        {
            return;
        }

        FreeFlags();
        MicroOp first = op;
        if (BeginsSpan(size, tag))
        {
            first.Displacement -= (ulong)_places[_item].Offset;
        }

        ComputeAddress(in first, Host.Address, isWide: true);
        if (op.Segment != 0)
        {
            _a.Emit(8, 0x03, Host.Address, Operand.State(op.Segment == FsSegment ? StateOffsets.FsBase : StateOffsets.GsBase));
        }

        TranslateOrBeginSpan(_predictionPlanner.Find(_trace[_item]), size, tag);
    }

    /// <summary>Translates an address that is a distance away from a register of the guest.</summary>
    private void TranslateStack(int register, int distance, int tag)
    {
        if (IsTranslated(StackSlot, tag))
        {
            return;
        }

        FreeFlags();
        int from = Read(register, Host.Address);
        _a.Emit(8, 0x8D, Host.Address, Operand.At(from, BeginsSpan(StackSlot, tag) ? distance - _places[_item].Offset : distance));
        TranslateOrBeginSpan(_predictionPlanner.FindStack(_trace[_item]), StackSlot, tag);
    }

    private void TranslateOrBeginSpan(int? prediction, int size, int tag)
    {
        if (BeginsSpan(size, tag))
        {
            TranslateSpan(prediction);
        }
        else
        {
            TranslateOrPredict(prediction, size, tag, Slow);
        }
    }

    /// <summary>Turns the address of the guest into the host's, or goes elsewhere, which has the interpreter execute the instruction.</summary>
    private void Translate(int size, int tag, int otherwise)
    {
        ChooseEntry(Host.Entry);
        _a.Emit(8, 0x33, Host.Address, Operand.At(Host.State, Host.Entry, 0, _translations + tag));
        CompareOffset(size);
        _a.JumpIf(Above, otherwise);
        _a.Emit(8, 0x03, Host.Address, Operand.At(Host.State, Host.Entry, 0, _translations + StateOffsets.Page));
    }

    /// <summary>Puts the entry for the guest's address into a register: its index is in the bits of the page's address, and counts in entries.</summary>
    private void ChooseEntry(int register)
    {
        if (Bmi2.IsSupported)
        {
            _a.RotateInto(register, Host.Address, HostPage.Shift - Tlb.EntryShift);
        }
        else
        {
            _a.Emit(4, Mov, Host.Address, Operand.Of(register));
            _a.Emit(4, 0xC1, 5, Operand.Of(register));
            _a.Byte(HostPage.Shift - Tlb.EntryShift);
        }

        _a.Emit(4, 0x81, 4, Operand.Of(register));
        _a.Immediate(4, Tlb.IndexMask << Tlb.EntryShift);
    }

    /// <summary>
    /// Compares an address, of which the tag of a translation was taken away, with the last one at which an operand fits: with the same page the
    /// offset within it is left, with another page, or none, something much larger.
    /// </summary>
    private void CompareOffset(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, HostPage.Size);
        _a.Emit(8, 0x81, 7, GuestAddress);
        _a.Immediate(4, HostPage.Size - size);
    }

    /// <summary>Puts the address of a memory operand into a register of the host. Keeps the flags.</summary>
    private void ComputeAddress(in MicroOp op, int target, bool isWide)
    {
        bool hasBase = op.Base != MicroOp.ZeroRegister;
        bool hasIndex = op.Index != MicroOp.ZeroRegister;
        int size = op.Address32 || !isWide ? 4 : 8;
        bool isShort = (long)op.Displacement == (int)op.Displacement || size == 4;
        if (!hasBase && !hasIndex)
        {
            LoadConstant(target, size == 4 ? (uint)op.Displacement : op.Displacement);
            return;
        }

        int from = hasBase ? Read(op.Base, Host.Address) : Operand.None;
        int index = hasIndex ? Read(op.Index, Host.Entry) : Operand.None;
        _a.Emit(size, 0x8D, target, Operand.At(from, index, op.Scale, isShort ? (int)op.Displacement : 0));
        if (!isShort)
        {
            LoadConstant(Host.Entry, op.Displacement);
            _a.Emit(8, 0x8D, target, Operand.At(target, Host.Entry, 0, 0));
        }
    }
}

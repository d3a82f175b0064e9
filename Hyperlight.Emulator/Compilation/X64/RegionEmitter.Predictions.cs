using System.Runtime.Intrinsics.X86;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Predictions: an access compares its address with that of the page that it used last, of which the translation is at a place of the state
/// that the code names. So the comparison and the address of the page do not wait for each other. If it is another page, a function of the
/// region looks the translation up, and predicts it from then on.
/// </summary>
internal sealed partial class RegionEmitter
{
    private readonly List<Misprediction> _mispredictions = [];

    /// <summary>Where the predictions are behind the state.</summary>
    private int _predictions;

    /// <summary>The functions that look translations up for reads, and for writes; none if there are no such accesses.</summary>
    private int? _lookUpRead;
    private int? _lookUpWrite;

    private static int _nextPrediction;

    /// <summary>Turns the address of an instruction's operand into the host's, or goes elsewhere.</summary>
    private void TranslateOrPredict(bool isSteady, int size, int tag, int otherwise)
    {
        if (isSteady && !_isCopy)
        {
            Predict(size, tag, otherwise);
        }
        else
        {
            Translate(size, tag, otherwise);
        }
    }

    /// <summary>Whether the operand of the instruction that is being emitted will probably be in the page in which it was last.</summary>
    private bool IsSteady(in MicroOp op)
    {
        bool isOnStack = op.Base is MicroOp.ZeroRegister or Processor.Rsp && op.Index == MicroOp.ZeroRegister;
        TraceOp place = _trace[_item];
        return isOnStack || place.Node.Block.Profile?.IsSteady(place.Index) == true;
    }

    /// <summary>Turns the address of the guest into the host's as <see cref="Translate"/> does.</summary>
    private void Predict(int size, int tag, int otherwise)
    {
        bool isWrite = tag == StateOffsets.WriteTag;
        int prediction = (_nextPrediction++ % PredictionTable.CountForReads) + (isWrite ? PredictionTable.CountForReads : 0);
        int lookUp = isWrite ? _lookUpWrite ??= _a.NewLabel() : _lookUpRead ??= _a.NewLabel();
        var place = new Misprediction(_a.NewLabel(), _a.NewLabel(), prediction, size, lookUp, otherwise);
        _mispredictions.Add(place);
        _a.Emit(8, 0x33, Host.Address, Operand.State(_predictions + PredictionTable.TagsOffset + (prediction * sizeof(ulong))));
        CompareOffset(size);
        _a.JumpIf(Above, place.Label);
        _a.Emit(8, 0x03, Host.Address, Operand.State(_predictions + PredictionTable.PagesOffset + (prediction * sizeof(ulong))));
        _a.Mark(place.Done);
    }

    /// <summary>Compares the offset within a page with the last one at which an operand fits. For an address in another page, it is larger.</summary>
    private void CompareOffset(int size)
    {
        _a.Emit(8, 0x81, 7, GuestAddress);
        _a.Immediate(4, HostPage.Size - size);
    }

    private void EmitMispredictions()
    {
        foreach (Misprediction place in _mispredictions)
        {
            _a.Mark(place.Label);
            LoadConstant(Host.Entry, (ulong)place.Prediction);
            _a.Call(place.LookUp);
            CompareOffset(place.Size);
            _a.JumpIf(Above, place.Otherwise);
            _a.Emit(8, 0x03, Host.Address, Operand.At(Host.State, Host.Entry, 0, _translations + StateOffsets.Page));
            _a.Jump(place.Done);
        }

        if (_lookUpRead is { } read)
        {
            EmitLookUp(read, StateOffsets.ReadTag);
        }

        if (_lookUpWrite is { } write)
        {
            EmitLookUp(write, StateOffsets.WriteTag);
        }
    }

    /// <summary>
    /// A function that looks a translation up: the number of the prediction is in the entry register, and the address compared with its tag in the
    /// address register. Returns the entry, and the address compared with the tag of that.
    /// </summary>
    private void EmitLookUp(int label, int tag)
    {
        int isKept = _a.NewLabel();
        Operand Entry(int field) => Operand.At(Host.State, Host.Rax, 0, _translations + field);
        Operand Prediction(int array) => Operand.At(Host.State, Host.Entry, 3, _predictions + array);
        _a.Mark(label);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.PredictingRax));
        _a.Emit(8, 0x33, Host.Address, Prediction(PredictionTable.TagsOffset));
        ChooseEntry(Host.Rax);
        _a.Emit(8, 0x33, Host.Address, Entry(tag));
        CompareOffset(1);
        _a.JumpIf(Above, isKept);
        _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.PredictingAddress));
        _a.Emit(8, MovFrom, Host.Address, Entry(tag));
        _a.Emit(8, Mov, Host.Address, Prediction(PredictionTable.TagsOffset));
        _a.Emit(8, MovFrom, Host.Address, Entry(StateOffsets.Page));
        _a.Emit(8, Mov, Host.Address, Prediction(PredictionTable.PagesOffset));
        _a.Emit(8, MovFrom, Host.Address, Operand.State(StateOffsets.PredictingAddress));
        _a.Mark(isKept);
        _a.Emit(4, Mov, Host.Rax, Operand.Of(Host.Entry));
        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.PredictingRax));
        _a.Byte(0xC3);
    }

    /// <summary>Puts the place of the entry for the guest's address, in bytes, into a register.</summary>
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

    /// <summary>What an access does that uses another page than before.</summary>
    /// <param name="Label">Where it is.</param>
    /// <param name="Done">Where execution goes on.</param>
    /// <param name="Prediction">The number of the prediction.</param>
    /// <param name="Size">The size of the operand.</param>
    /// <param name="LookUp">The function that looks the translation up.</param>
    /// <param name="Otherwise">Where to go if there is none, or the operand is not in one page.</param>
    private readonly record struct Misprediction(int Label, int Done, int Prediction, int Size, int LookUp, int Otherwise);
}

using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Predicted translations: the address is compared with a prediction of the <see cref="PredictionTable"/>. If it is in another page, a function
/// of the region looks the translation up, and predicts that from then on.
/// </summary>
internal sealed partial class RegionEmitter
{
    /// <summary>The processor shifts an index by three at most: it counts halves of predictions.</summary>
    private const int IndexPerPrediction = PredictionEntry.Size / sizeof(ulong);
    private const int EntryScale = 3;
    private const int CreditScale = 1;

    private readonly List<Misprediction> _mispredictions = [];
    private PredictionPlanner _predictionPlanner = null!;

    /// <summary>Where the predictions are behind the state.</summary>
    private int _predictions;

    /// <summary>The functions that look translations up for reads, and for writes; none if there are no such accesses.</summary>
    private int? _lookUpRead;
    private int? _lookUpWrite;

    /// <summary>The first number for predictions of the next region.</summary>
    public int NextPrediction => _predictionPlanner.Next;

    /// <summary>Turns the address of the guest into the host's, or goes elsewhere, which has the interpreter execute the instruction.</summary>
    /// <param name="prediction">The prediction, as the planner numbers them; none to look the translation up each time.</param>
    /// <param name="size">The size of the operand.</param>
    /// <param name="tag">Whether it is read or written.</param>
    /// <param name="otherwise">Where to go.</param>
    private void TranslateOrPredict(int? prediction, int size, int tag, int otherwise)
    {
        if (prediction is { } number && !_isCopy)
        {
            Predict(number, size, tag, otherwise);
        }
        else
        {
            Translate(size, tag, otherwise);
        }
    }

    private void Predict(int number, int size, int tag, int otherwise)
    {
        bool isWrite = tag == StateOffsets.WriteTag;
        int prediction = isWrite ? PredictionTable.CountForReads + number : number;
        int lookUp = isWrite ? _lookUpWrite ??= _a.NewLabel() : _lookUpRead ??= _a.NewLabel();
        var place = new Misprediction(_a.NewLabel(), _a.NewLabel(), prediction, size, lookUp, otherwise);
        _mispredictions.Add(place);
        int entry = _predictions + (prediction * PredictionEntry.Size);
        _a.Emit(8, 0x33, Host.Address, Operand.State(entry + PredictionEntry.TagOffset));
        CompareOffset(size);
        _a.JumpIf(Above, place.Label);
        _a.Emit(8, 0x03, Host.Address, Operand.State(entry + PredictionEntry.PageOffset));
        _a.Mark(place.Done);
    }

    private void EmitMispredictions()
    {
        foreach (Misprediction place in _mispredictions)
        {
            _a.Mark(place.Label);
            LoadConstant(Host.Entry, (ulong)place.Prediction * IndexPerPrediction);
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
    /// A function that looks a translation up. Before, the index of the prediction is in the entry register, and the address compared with
    /// that prediction in the address register; afterwards the entry, and the address compared with that. Keeps RAX and RCX. The access waits
    /// for the address register, so that is not stored meanwhile.
    /// </summary>
    private void EmitLookUp(int label, int tag)
    {
        int done = _a.NewLabel();
        Operand entryTag = Operand.At(Host.State, Host.Rax, 0, _translations + tag);
        Operand entryPage = Operand.At(Host.State, Host.Rax, 0, _translations + StateOffsets.Page);
        Operand predictedTag = Operand.At(Host.State, Host.Entry, EntryScale, _predictions + PredictionEntry.TagOffset);
        Operand predictedPage = Operand.At(Host.State, Host.Entry, EntryScale, _predictions + PredictionEntry.PageOffset);
        _a.Mark(label);
        _a.Emit(8, Mov, Host.Rax, Operand.State(StateOffsets.PredictingRax));
        _a.Emit(8, 0x33, Host.Address, predictedTag);
        ChooseEntry(Host.Rax);

        // What is not translated is not predicted either.
        _a.Emit(8, 0x33, Host.Address, entryTag);
        CompareOffset(1);
        _a.JumpIf(Above, done);
        _a.Emit(4, 0x83, 5, Operand.At(Host.State, Host.Entry, CreditScale, _predictions + PredictionTable.CreditsOffset));
        _a.Byte(1);
        _a.JumpIf(Negative, done);
        _a.Emit(8, Mov, Host.Rcx, Operand.State(StateOffsets.PredictingRcx));
        _a.Emit(8, MovFrom, Host.Rcx, entryTag);
        _a.Emit(8, Mov, Host.Rcx, predictedTag);
        _a.Emit(8, MovFrom, Host.Rcx, entryPage);
        _a.Emit(8, Mov, Host.Rcx, predictedPage);
        _a.Emit(8, MovFrom, Host.Rcx, Operand.State(StateOffsets.PredictingRcx));
        _a.Mark(done);
        _a.Emit(4, Mov, Host.Rax, Translation);
        _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.PredictingRax));
        _a.Byte(0xC3);
    }

    /// <summary>What an access does that is in another page than was predicted.</summary>
    /// <param name="Label">Where it is.</param>
    /// <param name="Done">Where execution goes on.</param>
    /// <param name="Prediction">The number of the prediction in the table.</param>
    /// <param name="Size">The size of the operand.</param>
    /// <param name="LookUp">The function that looks the translation up.</param>
    /// <param name="Otherwise">Where to go if there is none, or the operand is not in one page.</param>
    private readonly record struct Misprediction(int Label, int Done, int Prediction, int Size, int LookUp, int Otherwise);
}

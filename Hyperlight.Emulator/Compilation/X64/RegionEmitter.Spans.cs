namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Spans: operands beside each other are translated once, by the first instruction that uses one of them. If that is not
/// possible, the interpreter executes its instructions, or execution goes on in a second copy of the trace, which is only there if a span was
/// often in two pages.
/// </summary>
internal sealed partial class RegionEmitter
{
    private List<SpanPlace> _places = [];

    /// <summary>The span that was translated last, and how much may be done with it.</summary>
    private SpanPlace _span;

    /// <summary>The instruction that translated a span whose instructions the interpreter may have to execute; none if the last of them was emitted.</summary>
    private int? _openSpan;

    /// <summary>Where they are executed by it.</summary>
    private int _openSpanLabel;

    private bool _hasInterpretedSpans;

    /// <summary>Where the operand is behind the address that was translated.</summary>
    private int _offset;

    /// <summary>Whether the operand of the instruction is in a span that was translated.</summary>
    private bool IsTranslated(int size, int tag)
    {
        _offset = 0;
        if (_isCopy || _places[_item] is not { Span: not 0, IsFirst: false } place)
        {
            return false;
        }

        bool holds = place.Span == _span.Span && _a.KeepsAddress && place.Offset + size <= _span.Size
            && (tag != StateOffsets.WriteTag || _span.IsWritten);
        _offset = holds ? place.Offset : 0;
        return holds;
    }

    /// <summary>Whether the instruction is the first one of a span.</summary>
    private bool BeginsSpan(int size, int tag) => !_isCopy && _places[_item] is { IsFirst: true } place
        && place.Offset + size <= place.Size && (tag != StateOffsets.WriteTag || place.IsWritten);

    /// <summary>Translates the address of a span, which is in the address register.</summary>
    private void TranslateSpan(int? prediction)
    {
        _span = _places[_item];
        _offset = _span.Offset;
        TranslateOrPredict(prediction, _span.Size, _span.IsWritten ? StateOffsets.WriteTag : StateOffsets.ReadTag, _isCopied ? CopyEntry() : SpanEntry());
        _a.KeepsAddress = true;
    }

    /// <summary>Where the interpreter begins with the instruction that is being emitted, and goes on up to the last one of the span.</summary>
    private int SpanEntry()
    {
        int label = NewInterpreted(out _openSpanLabel);
        _openSpan = _item;
        _hasInterpretedSpans = true;
        return label;
    }

    /// <summary>If the instruction that was emitted last is the last one of a span that the interpreter may have executed, execution goes on here.</summary>
    private void FinishSpan()
    {
        if (_openSpan is not { } first || IsInSpanBehind(_item, _span.Span))
        {
            return;
        }

        _openSpan = null;
        int number = Number(first, _trace.Count - first - 1, _item - first);
        for (int item = first + 1; item <= _item; item++)
        {
            Number(item, _trace.Count - item - 1, following: 0);
        }

        int done = _a.NewLabel();
        _a.Mark(done);
        _outOfLine.Add(new OutOfLine(
            OutOfLineKind.InterpretSpan, _openSpanLabel, done, number, _flags is FlagPlace.Host or FlagPlace.Both));
    }

    private bool IsInSpanBehind(int item, int span)
    {
        for (int i = item + 1; i < _places.Count; i++)
        {
            if (_places[i].Span != 0)
            {
                return _places[i].Span == span;
            }
        }

        return false;
    }
}

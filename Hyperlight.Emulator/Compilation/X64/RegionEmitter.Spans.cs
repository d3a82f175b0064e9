namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Spans: operands beside each other are translated once, by the first instruction that uses one of them. If that is not
/// possible, execution goes on in the second copy of the trace.
/// </summary>
internal sealed partial class RegionEmitter
{
    private List<SpanPlace> _places = [];

    /// <summary>The span that was translated last, and how much may be done with it.</summary>
    private SpanPlace _span;

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
        TranslateOrPredict(prediction, _span.Size, _span.IsWritten ? StateOffsets.WriteTag : StateOffsets.ReadTag, CopyEntry());
        _a.KeepsAddress = true;
    }
}

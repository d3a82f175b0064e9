using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// A trace: a block, and those behind it of which each is only reached from the one before it. Its instructions are counted
/// together when it is entered, and the flags and the last translated address are known from one of its blocks to the next.
/// </summary>
internal sealed partial class RegionEmitter
{
    private readonly List<TraceOp> _trace = [];
    private readonly List<SecondCopy> _copies = [];
    private SpanPlanner _planner = null!;
    private FlagPlanner _flagPlanner = null!;
    private List<bool> _computedAgain = [];

    /// <summary>Which instruction of the trace is emitted.</summary>
    private int _item;

    /// <summary>Where the second copy of the trace can be entered: a label for some of the instructions.</summary>
    private Dictionary<int, int>? _copyEntries;

    private bool _isCopy;

    /// <summary>Whether the trace has a second copy if it has spans.</summary>
    private bool _isCopied;

    /// <summary>Emits a trace.</summary>
    /// <returns>Where the next one begins.</returns>
    private int EmitTrace(int first)
    {
        RegionNode head = _nodes[first];
        int next = CollectTrace(first);
        _a.Mark(_labels[first]);
        (_flags, _flagSource) = (FlagPlace.Saved, -1);
        // All instructions are counted when it is entered; who leaves in the middle gives the rest back.
        bool isShort = _trace.Count <= sbyte.MaxValue;
        _a.Emit(8, isShort ? 0x83 : 0x81, 5, Operand.Of(Host.Budget));
        _a.Immediate(isShort ? 1 : 4, _trace.Count);
        _a.JumpIf(Negative, InterpretAt(head.Block.Rip, _trace.Count));

        _copyEntries = null;
        _openSpan = null;
        _isCopied = HasOperandsApart();
        _places = _planner.Plan(_trace);
        _computedAgain = _flagPlanner.Plan(_trace);
        EmitTraceFrom(0);
        if (_copyEntries is { } entries)
        {
            _copies.Add(new SecondCopy(first, entries));
        }

        return next;
    }

    /// <summary>Emits the traces again of which a span was not in one page, or not permitted: each operand is translated by itself.</summary>
    private void EmitSecondCopies()
    {
        _isCopy = true;
        foreach ((int first, Dictionary<int, int> entries) in _copies)
        {
            CollectTrace(first);
            _copyEntries = entries;
            (_flags, _flagSource) = (FlagPlace.Saved, -1);
            EmitTraceFrom(entries.Keys.Min());
        }

        _isCopy = false;
    }

    private int CollectTrace(int first)
    {
        _trace.Clear();
        int next = first;
        do
        {
            RegionNode node = _nodes[next++];
            MicroOp[] ops = node.Block.Ops;
            for (int i = 0; i < node.Length; i++)
            {
                _trace.Add(new TraceOp(node, ops, i));
            }
        }
        while (next < _nodes.Count && _nodes[next].Continues);

        return next;
    }

    private void EmitTraceFrom(int start)
    {
        for (_item = start; _item < _trace.Count; _item++)
        {
            if (_isCopy && _copyEntries!.TryGetValue(_item, out int entry))
            {
                FreeFlags();
                _a.Mark(entry);
            }

            TraceOp place = _trace[_item];
            EmitInstruction(place.Node, in place.Op, _trace.Count - _item - 1);
            FinishSpan();
        }

        RegionNode last = _trace[^1].Node;
        if (!OpTable.EndsBlock(last.Last.Op))
        {
            GoTo(last, last.Next, last.Last.NextRip);
        }
    }

    /// <summary>Where the second copy is entered with the instruction that is being emitted.</summary>
    private int CopyEntry()
    {
        _copyEntries ??= [];
        if (!_copyEntries.TryGetValue(_item, out int entry))
        {
            _copyEntries.Add(_item, entry = _a.NewLabel());
        }

        if (_flags != FlagPlace.Computed)
        {
            return entry;
        }

        int label = _a.NewLabel();
        _outOfLine.Add(new OutOfLine(OutOfLineKind.ComputeFlags, label, entry, Source: _trace[_flagSource]));
        return label;
    }

    private bool HasOperandsApart()
    {
        foreach (TraceOp place in _trace)
        {
            if (place.Node.Block.HasOperandsApart)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A trace that is emitted twice.</summary>
    /// <param name="First">The position of its first block.</param>
    /// <param name="Entries">Where it is entered.</param>
    private readonly record struct SecondCopy(int First, Dictionary<int, int> Entries);
}

using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Links the nodes of a region, and orders them: where possible, a node is behind the one that leads to it, so that the code of both is
/// one trace.
/// </summary>
/// <param name="nodes">The nodes by their addresses.</param>
/// <param name="found">The same in the order in which they were found.</param>
internal sealed class RegionLayout(Dictionary<ulong, RegionNode> nodes, List<RegionNode> found)
{
    /// <summary>How many instructions a trace may have that is copied behind a jump to it.</summary>
    private const int LongestCopied = 32;

    /// <summary>How many instructions a region may have in copies.</summary>
    private const int MostCopied = 64;

    private readonly List<RegionNode> _order = new(nodes.Count);
    private int _copied;

    public List<RegionNode> Order()
    {
        foreach (RegionNode node in found)
        {
            Cut(node);
        }

        foreach (RegionNode node in found)
        {
            Link(node);
        }

        foreach (RegionNode node in found)
        {
            Place(node);
        }

        return _order;
    }

    /// <summary>
    /// Ends a node where another one begins that is executed as often or more often, such as a loop that the node runs into: otherwise the
    /// rest of the loop would belong to two traces.
    /// </summary>
    private void Cut(RegionNode node)
    {
        Span<MicroOp> ops = node.Ops;
        for (int i = 1; i < ops.Length; i++)
        {
            if (nodes.TryGetValue(ops[i].Rip, out RegionNode? inner) && inner.Block.Heat >= node.Block.Heat)
            {
                node.Length = i;
                return;
            }
        }
    }

    private void Link(RegionNode node)
    {
        ref MicroOp last = ref node.Last;
        if (OpTraits.FallsThrough(last.Op) && nodes.TryGetValue(last.NextRip, out RegionNode? next))
        {
            node.Next = next;
            next.Predecessors++;
        }

        if (last.Op is Op.Jcc or Op.Jmp or Op.Call && nodes.TryGetValue(last.Immediate, out RegionNode? target))
        {
            node.Target = target;
            target.Predecessors++;
        }

        if (OpTraits.IsCall(last.Op) && nodes.TryGetValue(last.NextRip, out RegionNode? returned))
        {
            returned.IsIndirectTarget = true;
        }

        foreach (ulong address in node.Targets)
        {
            if (nodes.TryGetValue(address, out RegionNode? indirect))
            {
                indirect.IsIndirectTarget = true;
            }
        }
    }

    /// <summary>Places a node, and behind it those that it leads to, as far as they have no place yet.</summary>
    private void Place(RegionNode start)
    {
        for (RegionNode? node = start; node is { Position: < 0 };)
        {
            Append(node, node != start && node.Predecessors == 1 && !node.IsIndirectTarget);
            if (node.Last.Op != Op.Jmp)
            {
                node = node.Next;
            }
            else if (node.Target is { Position: >= 0 } target)
            {
                CopyBehind(node, target);
                return;
            }
            else
            {
                node = node.Target;
            }
        }
    }

    private void Append(RegionNode node, bool continues)
    {
        node.Continues = continues;
        node.Position = _order.Count;
        _order.Add(node);
    }

    /// <summary>
    /// Copies a trace behind the node that jumps to it, if it is short: a loop whose end jumps to its condition, or to the dispatch of an
    /// interpreter, is one trace then.
    /// </summary>
    private void CopyBehind(RegionNode node, RegionNode target)
    {
        int end = target.Position;
        int instructions = 0;
        do
        {
            instructions += _order[end++].Length;
        }
        while (end < _order.Count && _order[end].Continues);

        // What ends where the copy would begin is the trace of the node itself.
        if (end == _order.Count || instructions > LongestCopied || _copied + instructions > MostCopied)
        {
            return;
        }

        _copied += instructions;
        RegionNode previous = node;
        for (int i = target.Position; i < end; i++)
        {
            RegionNode original = _order[i];
            RegionNode copy = original.Copy();
            previous.Replace(original, copy);
            Append(copy, continues: true);
            previous = copy;
        }
    }
}

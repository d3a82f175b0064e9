using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Chooses the blocks of a region: those that can be reached from a hot one by direct jumps, calls and returns, and that
/// were executed before. They are ordered so that a block follows the one that falls through to it.
/// </summary>
internal sealed class RegionBuilder(Func<ulong, Block?> find)
{
    /// <summary>Above a certain size the JIT compiler does not optimise.</summary>
    private const int MostInstructions = 300;
    private const int MostBlocks = 80;

    private readonly Dictionary<ulong, RegionNode> _nodes = [];

    public List<RegionNode> Build(Block seed)
    {
        Collect(seed);
        NoteIndirectTarget(seed);
        foreach (RegionNode node in _nodes.Values)
        {
            Link(node);
        }

        return Order();
    }

    private static bool FallsThrough(Op op) => op is Op.Jcc || !OpTable.EndsBlock(op);

    private static bool IsCall(Op op) => op is Op.Call or Op.CallIndirect;

    /// <summary>
    /// A block that nothing of the region leads to was probably reached by its indirect jumps: they are dispatches, of which each
    /// target becomes hot after the jump was compiled for the first time.
    /// </summary>
    private void NoteIndirectTarget(Block seed)
    {
        foreach (RegionNode node in _nodes.Values)
        {
            ref MicroOp last = ref node.Last;
            if ((FallsThrough(last.Op) && last.NextRip == seed.Rip) || (last.Op is Op.Jcc or Op.Jmp or Op.Call && last.Immediate == seed.Rip))
            {
                return;
            }
        }

        foreach (RegionNode node in _nodes.Values)
        {
            if (node.Last.Op == Op.JmpIndirect && node.Block.Targets.Count > 1)
            {
                node.Block.NoteTarget(seed.Rip);
            }
        }
    }

    private void Collect(Block seed)
    {
        int instructions = 0;
        var queue = new Queue<Block>([seed]);
        while (queue.TryDequeue(out Block? block))
        {
            if (_nodes.ContainsKey(block.Rip) || _nodes.Count >= MostBlocks
                || instructions + block.Ops.Length > MostInstructions)
            {
                continue;
            }

            instructions += block.Ops.Length;
            _nodes.Add(block.Rip, new RegionNode(block));
            EnqueueSuccessors(block, queue);
        }
    }

    private void EnqueueSuccessors(Block block, Queue<Block> queue)
    {
        ref MicroOp last = ref block.Ops[^1];
        if (FallsThrough(last.Op) || IsCall(last.Op))
        {
            Enqueue(last.NextRip, queue);
        }

        if (last.Op is Op.Jcc or Op.Jmp or Op.Call)
        {
            Enqueue(last.Immediate, queue);
        }

        foreach (ulong target in block.Targets)
        {
            Enqueue(target, queue);
        }
    }

    private void Enqueue(ulong rip, Queue<Block> queue)
    {
        if (!_nodes.ContainsKey(rip) && find(rip) is { } successor)
        {
            queue.Enqueue(successor);
        }
    }

    private void Link(RegionNode node)
    {
        ref MicroOp last = ref node.Last;
        if (FallsThrough(last.Op) && _nodes.TryGetValue(last.NextRip, out RegionNode? next))
        {
            node.Next = next;
            next.Predecessors++;
        }

        if (last.Op is Op.Jcc or Op.Jmp or Op.Call && _nodes.TryGetValue(last.Immediate, out RegionNode? target))
        {
            node.Target = target;
            target.Predecessors++;
        }

        if (IsCall(last.Op) && _nodes.TryGetValue(last.NextRip, out RegionNode? returned))
        {
            returned.IsIndirectTarget = true;
        }

        foreach (ulong address in node.Block.Targets)
        {
            if (_nodes.TryGetValue(address, out RegionNode? indirect))
            {
                indirect.IsIndirectTarget = true;
            }
        }
    }

    private List<RegionNode> Order()
    {
        var order = new List<RegionNode>(_nodes.Count);
        foreach (RegionNode start in _nodes.Values)
        {
            for (RegionNode? node = start; node is { Position: < 0 }; node = node.Next)
            {
                node.Continues = node != start && node.Predecessors == 1 && !node.IsIndirectTarget;
                node.Position = order.Count;
                order.Add(node);
            }
        }

        return order;
    }
}

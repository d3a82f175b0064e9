using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Chooses the blocks of a region: those that can be reached from a hot one by direct jumps, calls and returns, and that
/// were executed before. Unless it is a loop, what has code already is left to that.
/// </summary>
/// <param name="find">Finds a block that was executed.</param>
/// <param name="isUser">Whether the region's accesses are those of a user.</param>
internal sealed class RegionBuilder(Func<ulong, Block?> find, bool isUser)
{
    /// <summary>Above a certain size the JIT compiler does not optimise.</summary>
    public const int MostInstructions = 300;
    private const int MostBlocks = 80;

    /// <summary>
    /// As how many instructions one counts that is repeated: its code has loops, and translates several times. Otherwise a region of
    /// them would be larger than the memory that code is placed in.
    /// </summary>
    private const int WeightOfRepeated = 8;

    /// <summary>
    /// Among how many blocks that have code the way back to the hot one is looked for: longer loops are seldom gone round.
    /// </summary>
    private const int MostSearched = 16;

    private readonly Dictionary<ulong, RegionNode> _nodes = [];

    /// <summary>The same in the order in which they were found.</summary>
    private readonly List<RegionNode> _found = [];
    private readonly Queue<Block> _queue = [];

    /// <summary>Whether one of them but the hot one has code.</summary>
    private bool _hasCode;
    private readonly HashSet<RegionNode> _loop = [];

    public List<RegionNode> Build(Block seed)
    {
        Collect(seed, MostSearched);
        NoteIndirectTarget(seed);
        if (_hasCode)
        {
            // Each round of a loop would go through several regions, so nothing of it is left to others.
            int mostWithCode = IsInLoop(seed) ? MostBlocks : 0;
            _nodes.Clear();
            _found.Clear();
            Collect(seed, mostWithCode);
        }

        return new RegionLayout(_nodes, _found).Order();
    }

    /// <summary>
    /// A block that nothing of the region leads to was probably reached by its indirect jumps: they are dispatches, of which each
    /// target becomes hot after the jump was compiled for the first time.
    /// </summary>
    private void NoteIndirectTarget(Block seed)
    {
        foreach (RegionNode node in _found)
        {
            ref MicroOp last = ref node.Last;
            if ((OpTraits.FallsThrough(last.Op) && last.NextRip == seed.Rip) || (last.Op is Op.Jcc or Op.Jmp or Op.Call && last.Immediate == seed.Rip))
            {
                return;
            }
        }

        foreach (RegionNode node in _found)
        {
            if (node.Last.Op == Op.JmpIndirect && node.Block.Targets.Count > 1)
            {
                node.Block.MakeNotes().NoteTarget(seed.Rip);
            }
        }
    }

    /// <summary>Whether other code can go on in the code that a block has.</summary>
    private bool HasCode(Block block) => block.Region is { } region && region.Code.HasLinks(isUser);

    /// <summary>Whether a way through the collected blocks leads from a block back to it.</summary>
    private bool IsInLoop(Block block)
    {
        int count;
        do
        {
            count = _loop.Count;
            // From the farthest on: those that lead to the block come after those that it leads to.
            for (int i = _found.Count - 1; i >= 0; i--)
            {
                RegionNode node = _found[i];
                if (!_loop.Contains(node) && LeadsBack(node, block.Rip))
                {
                    _loop.Add(node);
                }
            }
        }
        while (_loop.Count != count);

        return _loop.Contains(_nodes[block.Rip]);
    }

    /// <summary>Whether a block leads to an address, or to one of those that were found to lead there.</summary>
    private bool LeadsBack(RegionNode node, ulong rip)
    {
        ref MicroOp last = ref node.Last;
        return ((OpTraits.FallsThrough(last.Op) || OpTraits.IsCall(last.Op)) && LeadsBack(last.NextRip, rip))
            || (last.Op is Op.Jcc or Op.Jmp or Op.Call && LeadsBack(last.Immediate, rip))
            || AnyLeadsBack(node.Block.Targets, rip);
    }

    /// <remarks>Without LINQ: it is asked for each block of each region, also when a new machine uses code that others have compiled.</remarks>
    private bool AnyLeadsBack(IReadOnlyList<ulong> targets, ulong rip)
    {
        for (int i = 0; i < targets.Count; i++)
        {
            if (LeadsBack(targets[i], rip))
            {
                return true;
            }
        }

        return false;
    }

    private bool LeadsBack(ulong target, ulong rip) =>
        target == rip || (_nodes.TryGetValue(target, out RegionNode? node) && _loop.Contains(node));

    /// <summary>Collects blocks, the nearest first.</summary>
    /// <param name="seed">Where to begin.</param>
    /// <param name="mostWithCode">
    /// How many blocks may be among them that have code; others are left to it, with what is behind them.
    /// </param>
    private void Collect(Block seed, int mostWithCode)
    {
        int instructions = 0;
        int withCode = 0;
        _hasCode = false;
        _queue.Enqueue(seed);
        while (_queue.TryDequeue(out Block? block))
        {
            if (_nodes.ContainsKey(block.Rip) || _nodes.Count >= MostBlocks)
            {
                continue;
            }

            int weight = WeightOf(block);
            if (block != seed)
            {
                bool hasCode = HasCode(block);
                if (instructions + weight > MostInstructions || (hasCode && ++withCode > mostWithCode))
                {
                    continue;
                }

                _hasCode |= hasCode;
            }

            instructions += weight;
            var node = new RegionNode(block);
            _nodes.Add(block.Rip, node);
            _found.Add(node);
            EnqueueSuccessors(block);
        }
    }

    private static int WeightOf(Block block)
    {
        int weight = block.Ops.Length;
        foreach (ref readonly MicroOp op in block.Ops.AsSpan())
        {
            weight += op.Op is Op.Movs or Op.Stos && op.Repeat != Repeat.None ? WeightOfRepeated - 1 : 0;
        }

        return weight;
    }

    private void EnqueueSuccessors(Block block)
    {
        ref MicroOp last = ref block.Ops[^1];
        if (OpTraits.FallsThrough(last.Op) || OpTraits.IsCall(last.Op))
        {
            Enqueue(last.NextRip);
        }

        if (last.Op is Op.Jcc or Op.Jmp or Op.Call)
        {
            Enqueue(last.Immediate);
        }

        foreach (ulong target in block.Targets)
        {
            Enqueue(target);
        }
    }

    private void Enqueue(ulong rip)
    {
        if (!_nodes.ContainsKey(rip) && find(rip) is { } successor)
        {
            _queue.Enqueue(successor);
        }
    }
}

using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>A block in a region, or its beginning, and where it leads.</summary>
internal sealed class RegionNode(Block block)
{
    public Block Block { get; } = block;

    /// <summary>Whether its code predicts the pages of operands: another machine may change that of the block meanwhile.</summary>
    public bool Predicts { get; init; } = block.Predicts;

    /// <summary>How many instructions of the block it has: the others are those of another node, which begins in the block.</summary>
    public int Length { get; set; } = block.Ops.Length;

    public Span<MicroOp> Ops => Block.Ops.AsSpan(0, Length);

    /// <summary>The last instruction, which says where it leads.</summary>
    public ref MicroOp Last => ref Block.Ops[Length - 1];

    /// <summary>Where its last instruction, if it is an indirect branch, was seen to go.</summary>
    public IReadOnlyList<ulong> Targets => Length == Block.Ops.Length ? Block.Targets : [];

    /// <summary>The block behind the last instruction, if it is in the region.</summary>
    public RegionNode? Next { get; set; }

    /// <summary>The block that a direct jump or call leads to, if it is in the region.</summary>
    public RegionNode? Target { get; set; }

    /// <summary>How many blocks of the region lead here.</summary>
    public int Predecessors { get; set; }

    /// <summary>Whether an instruction of the region may come here without naming it: a return or an indirect jump.</summary>
    public bool IsIndirectTarget { get; set; }

    /// <summary>Whether it is only reached from the block before it, whose flags it then knows.</summary>
    public bool Continues { get; set; }

    /// <summary>Where it stands in the compiled code.</summary>
    public int Position { get; set; } = -1;

    /// <summary>The same instructions once more, for another place.</summary>
    public RegionNode Copy() => new(Block) { Predicts = Predicts, Length = Length, Next = Next, Target = Target };

    /// <summary>Lets it lead to another node than it did.</summary>
    public void Replace(RegionNode node, RegionNode other)
    {
        Next = Next == node ? other : Next;
        Target = Target == node ? other : Target;
    }
}

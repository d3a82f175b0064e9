using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Everything that the code of a region follows from: addresses and bytes of its blocks, how much of them it has, where they were seen to go, whether operands were seen apart, whether they predict, and whose rights it has.</summary>
internal sealed class RegionKey : IEquatable<RegionKey>
{
    private readonly (ulong Rip, int Length, byte[] Bytes, ulong[] Targets, bool IsApart, bool Predicts)[] _blocks;
    private readonly bool _isUser;
    private readonly int _hash;

    public RegionKey(List<RegionNode> nodes, bool isUser)
    {
        _isUser = isUser;
        _blocks = new (ulong, int, byte[], ulong[], bool, bool)[nodes.Count];
        var hash = default(HashCode);
        for (int i = 0; i < _blocks.Length; i++)
        {
            Block block = nodes[i].Block;
            ulong[] targets = block.Targets.Count == 0 ? [] : [.. block.Targets];
            _blocks[i] = (block.Rip, nodes[i].Length, block.Bytes, targets, block.HasOperandsApart, nodes[i].Predicts);
            hash.Add(block.Rip);
            hash.AddBytes(block.Bytes);
        }

        _hash = hash.ToHashCode();
    }

    public bool Equals(RegionKey? other)
    {
        if (other is null || other._hash != _hash || other._isUser != _isUser || other._blocks.Length != _blocks.Length)
        {
            return false;
        }

        for (int i = 0; i < _blocks.Length; i++)
        {
            ref (ulong Rip, int Length, byte[] Bytes, ulong[] Targets, bool IsApart, bool Predicts) mine = ref _blocks[i];
            ref (ulong Rip, int Length, byte[] Bytes, ulong[] Targets, bool IsApart, bool Predicts) its = ref other._blocks[i];
            if (mine.Rip != its.Rip || mine.Length != its.Length || mine.IsApart != its.IsApart || mine.Predicts != its.Predicts || !mine.Bytes.AsSpan().SequenceEqual(its.Bytes)
                || !mine.Targets.AsSpan().SequenceEqual(its.Targets))
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as RegionKey);

    public override int GetHashCode() => _hash;
}

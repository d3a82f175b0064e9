namespace Hyperlight.Emulator.Compilation;

/// <summary>Everything that the code of a region follows from: addresses and bytes of its blocks, and where they were seen to go.</summary>
internal sealed class RegionKey : IEquatable<RegionKey>
{
    private readonly (ulong Rip, byte[] Bytes, ulong[] Targets)[] _blocks;
    private readonly int _hash;

    public RegionKey(List<RegionNode> nodes)
    {
        _blocks = [.. nodes.Select(n => (n.Block.Rip, n.Block.Bytes, n.Block.Targets.ToArray()))];
        var hash = default(HashCode);
        foreach ((ulong rip, byte[] bytes, _) in _blocks)
        {
            hash.Add(rip);
            hash.AddBytes(bytes);
        }

        _hash = hash.ToHashCode();
    }

    public bool Equals(RegionKey? other)
    {
        if (other is null || other._hash != _hash || other._blocks.Length != _blocks.Length)
        {
            return false;
        }

        for (int i = 0; i < _blocks.Length; i++)
        {
            ref (ulong Rip, byte[] Bytes, ulong[] Targets) mine = ref _blocks[i];
            ref (ulong Rip, byte[] Bytes, ulong[] Targets) its = ref other._blocks[i];
            if (mine.Rip != its.Rip || !mine.Bytes.AsSpan().SequenceEqual(its.Bytes)
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

using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Decoded blocks, and the pages they came from.</summary>
internal sealed class BlockCache
{
    /// <summary>A guest that makes more blocks than this starts over, so that it cannot fill the host's memory.</summary>
    private const int MostBlocks = 16384;
    private const int RecentBlocks = 1024;

    private readonly Dictionary<ulong, Block> _blocks = [];
    private readonly Dictionary<ulong, List<ulong>> _pages = [];
    private readonly Block?[] _recent = new Block?[RecentBlocks];

    /// <summary>Finds the block of a host address that was decoded for a linear address.</summary>
    public Block? Find(ulong key, ulong rip)
    {
        ref Block? recent = ref _recent[Hash(key)];
        if (recent is { } hit && hit.Key == key && hit.Rip == rip)
        {
            return hit;
        }

        if (_blocks.TryGetValue(key, out Block? block) && block.Rip == rip)
        {
            recent = block;
            return block;
        }

        return null;
    }

    public void Add(Block block)
    {
        if (_blocks.Count >= MostBlocks)
        {
            Clear();
        }

        ulong page = block.Key & ~HostPage.OffsetMask;
        if (!_pages.TryGetValue(page, out List<ulong>? keys))
        {
            _pages.Add(page, keys = []);
        }

        if (!_blocks.ContainsKey(block.Key))
        {
            keys.Add(block.Key);
        }

        _blocks[block.Key] = block;
        _recent[Hash(block.Key)] = block;
    }

    /// <summary>Whether instructions were decoded from a page.</summary>
    public bool HasCode(HostPage page) => _pages.ContainsKey(page.Identity);

    /// <summary>Forgets what was decoded from a page.</summary>
    public void Invalidate(HostPage page)
    {
        if (!_pages.Remove(page.Identity, out List<ulong>? keys))
        {
            return;
        }

        foreach (ulong key in keys)
        {
            _blocks.Remove(key);
            ref Block? recent = ref _recent[Hash(key)];
            if (recent is not null && recent.Key == key)
            {
                recent = null;
            }
        }
    }

    public void Clear()
    {
        _blocks.Clear();
        _pages.Clear();
        Array.Clear(_recent);
    }

    private static int Hash(ulong key) => (int)((key ^ (key >> 10)) & (RecentBlocks - 1));
}

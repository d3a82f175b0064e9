namespace Hyperlight.Emulator.Decoding;

/// <summary>Which parts of a page were decoded, so that a write to data beside code costs no code.</summary>
internal sealed class CodePage
{
    /// <summary>A bit stands for 64 bytes.</summary>
    private const int GrainShift = 6;

    private ulong _grains;

    /// <summary>The blocks that have bytes of the page. A set, as each leaves it when another one takes its place.</summary>
    public HashSet<Block> Blocks { get; private set; } = [];

    /// <summary>How often instructions of the page were forgotten: code that keeps changing is not worth compiling.</summary>
    public int Invalidations { get; set; }

    public void Add(Block block, int first, int length)
    {
        Blocks.Add(block);
        _grains |= Mask(first, length);
    }

    public bool Covers(int first, int length) => (_grains & Mask(first, length)) != 0;

    public void Remove(Block block)
    {
        if (Blocks.Remove(block) && Blocks.Count == 0)
        {
            Clear();
        }
    }

    /// <summary>Takes all blocks away.</summary>
    /// <returns>Those that there were.</returns>
    public HashSet<Block> Clear()
    {
        // Another set, as one that is cleared keeps its room.
        HashSet<Block> blocks = Blocks;
        Blocks = [];
        _grains = 0;
        return blocks;
    }

    private static ulong Mask(int first, int length)
    {
        int low = first >> GrainShift;
        int high = (first + length - 1) >> GrainShift;
        return (ulong.MaxValue << low) & (ulong.MaxValue >> (63 - high));
    }
}

using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Compiled code: enters a region, and says what to do next.</summary>
/// <param name="processor">The processor whose registers and memory it works on.</param>
/// <param name="entry">Which of the region's blocks to begin with.</param>
internal delegate RegionExit RegionCode(Processor processor, int entry);

/// <summary>Why compiled code returned.</summary>
internal enum RegionExit
{
    /// <summary>Execution goes on at RIP.</summary>
    Continue,

    /// <summary>An exception or an exit is pending.</summary>
    Pending,

    /// <summary>The instruction at RIP is for the interpreter: it is a rare case, or the budget ends within its block.</summary>
    Interpret,
}

/// <summary>Blocks that lead to each other, compiled together.</summary>
internal sealed class Region(IReadOnlyList<Block> blocks, RegionCode code)
{
    private readonly Dictionary<ulong, HostPage> _pages = PagesOf(blocks);
    private long _verifiedInRun;
    private long _verifiedInEpoch = -1;

    public RegionCode Code { get; } = code;

    /// <summary>The linear pages its code is in, and the memory it was found in.</summary>
    public IReadOnlyDictionary<ulong, HostPage> Pages => _pages;

    /// <summary>Whether nothing it depends on can have changed since it was last checked.</summary>
    public bool IsVerified(long run, long epoch) => _verifiedInRun == run && _verifiedInEpoch == epoch;

    /// <summary>Whether the memory still holds what was compiled.</summary>
    public bool Matches() => blocks.All(block => block.Matches());

    public void NoteVerified(long run, long epoch) => (_verifiedInRun, _verifiedInEpoch) = (run, epoch);

    /// <summary>Its blocks are interpreted from now on.</summary>
    public void Invalidate()
    {
        foreach (Block block in blocks)
        {
            if (ReferenceEquals(block.Region, this))
            {
                block.Region = null;
                block.Heat = 0;
            }
        }
    }

    private static Dictionary<ulong, HostPage> PagesOf(IEnumerable<Block> blocks)
    {
        var pages = new Dictionary<ulong, HostPage>();
        foreach ((ulong address, HostPage page) in blocks.SelectMany(block => block.Pages()))
        {
            pages[address] = page;
        }

        return pages;
    }
}

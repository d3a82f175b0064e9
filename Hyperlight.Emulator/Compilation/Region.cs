using System.Runtime.InteropServices;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation;

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
internal sealed class Region
{
    /// <summary>No link leads to it.</summary>
    public const int NoTarget = -1;

    /// <summary>
    /// How often operands beside each other may be in two pages while a machine executes as many instructions: the interpreter executes them
    /// then. If it is more often, their block is compiled for that.
    /// </summary>
    private const int MostApart = 32;
    private const int ApartInstructions = 2_000_000;

    /// <summary>
    /// How often it is left to the interpreter because the guest has not accessed all of its pages. What the guest has executed is compiled by
    /// itself then.
    /// </summary>
    private const int MostNotAccessed = 32;

    private readonly Block[] _blocks;
    private CodePlace[] _places = [];
    private int _apart;
    private int _notAccessed;
    private long _apartSince;

    private Region(Block[] blocks, bool predicts, RegionCode code)
    {
        _blocks = blocks;
        Predicts = predicts;
        Code = code;
        IsFixed = Array.TrueForAll(blocks, static block => block.IsFixed);
    }

    public RegionCode Code { get; }

    /// <summary>Whether all of it predicts the pages of operands.</summary>
    public bool Predicts { get; }

    /// <summary>How often it was seen running of late, and since when: see <see cref="RunningRegions"/>.</summary>
    public (int Count, long Since) Seen { get; set; }

    /// <summary>Whether it was tried to compile it again with predictions, which is done once: there may be no memory for that.</summary>
    public bool IsTriedToPredict { get; private set; }

    /// <summary>Whether the memory that it was compiled from never changes.</summary>
    public bool IsFixed { get; }

    /// <summary>About how many bytes of the host's memory its code takes.</summary>
    public int MemorySize => Code.Size;

    /// <summary>The linear pages its code is in, and the memory it was found in.</summary>
    /// <remarks>Without LINQ: the first call of a process would wait until the runtime has compiled it for this type.</remarks>
    public ReadOnlySpan<(ulong Address, HostPage Page)> Pages
    {
        get
        {
            var pages = new List<(ulong Address, HostPage Page)>();
            foreach (Block block in _blocks)
            {
                ulong address = block.Rip & ~HostPage.OffsetMask;
                AddPage(pages, address, block.Page);
                if (block.SecondPage is { } second)
                {
                    AddPage(pages, address + HostPage.Size, second);
                }
            }

            return CollectionsMarshal.AsSpan(pages);
        }
    }

    /// <summary>The run in which its bytes were last seen unchanged.</summary>
    public long VerifiedInRun { get; set; }

    /// <summary>Whether all pages are where they were, for the privilege that they were found for.</summary>
    public bool IsInPlace
    {
        get
        {
            foreach (CodePlace place in _places)
            {
                if (!place.IsInPlace)
                {
                    return false;
                }
            }

            return _places.Length != 0;
        }
    }

    /// <summary>Whether that is the privilege of a user.</summary>
    public bool IsFoundForUser { get; private set; }

    /// <summary>Which of the targets of links it is.</summary>
    public int Target { get; set; } = NoTarget;

    /// <summary>Whether a link that was made may still lead to it.</summary>
    /// <param name="run">The present run.</param>
    public bool MayBeLinked(long run) => IsInPlace && (IsFixed || VerifiedInRun == run);

    /// <summary>Makes code known to its blocks.</summary>
    public static Region Create(List<RegionNode> nodes, RegionCode code)
    {
        // Without LINQ: the first call of a process would wait until the runtime has compiled it for these types.
        var blocks = new Block[nodes.Count];
        bool predicts = true;
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = nodes[i].Block;
            predicts &= nodes[i].Predicts;
        }

        var region = new Region(blocks, predicts, code);
        foreach (RegionNode node in nodes)
        {
            node.Block.Add(region);
            if (!node.Continues)
            {
                Region? replaced = node.Block.Region;
                node.Block.Region = region;
                node.Block.Entry = node.Position;
                replaced?.InvalidateUnlessEntered();
            }
        }

        return region;
    }

    /// <summary>Notes where its pages were found.</summary>
    /// <param name="places">The places.</param>
    /// <param name="isUser">Whether they were found for accesses of a user.</param>
    public void NotePlaces(CodePlace[] places, bool isUser)
    {
        _places = places;
        _notAccessed = 0;
        IsFoundForUser = isUser;
    }

    /// <summary>Whether the memory still holds what was compiled.</summary>
    public bool Matches()
    {
        if (IsFixed)
        {
            return true;
        }

        foreach (Block block in _blocks)
        {
            if (!block.Matches())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Notes that operands which one translation was to serve were in two pages.</summary>
    /// <param name="rip">The address of the first instruction that has one.</param>
    /// <param name="executed">How many instructions the machine has executed, at least.</param>
    /// <returns>Whether that was so often that its block is to be compiled again, for operands apart.</returns>
    public bool NoteApart(ulong rip, long executed)
    {
        if (executed - _apartSince > ApartInstructions)
        {
            (_apart, _apartSince) = (0, executed);
        }

        if (++_apart != MostApart)
        {
            return false;
        }

        foreach (Block block in _blocks)
        {
            block.HasOperandsApart |= rip - block.Rip < (ulong)block.Bytes.Length;
        }

        return true;
    }

    /// <summary>Notes that the guest has not accessed all of its pages, and forgets it if that was so often.</summary>
    public void NoteNotAccessed()
    {
        if (++_notAccessed == MostNotAccessed)
        {
            Invalidate();
        }
    }

    private static void AddPage(List<(ulong Address, HostPage Page)> pages, ulong address, HostPage page)
    {
        foreach ((ulong known, _) in pages)
        {
            if (known == address)
            {
                return;
            }
        }

        pages.Add((address, page));
    }

    /// <summary>Its blocks do not keep it any more if none of them leads into it.</summary>
    private void InvalidateUnlessEntered()
    {
        if (!Array.Exists(_blocks, block => ReferenceEquals(block.Region, this)))
        {
            Invalidate();
        }
    }

    /// <summary>The same blocks, to be compiled again with predictions.</summary>
    public List<RegionNode> Predicting()
    {
        IsTriedToPredict = true;
        Dictionary<ulong, RegionNode> nodes = [];
        List<RegionNode> found = [];
        foreach (Block block in _blocks)
        {
            block.Predicts = true;
            var node = new RegionNode(block) { Predicts = true };
            if (nodes.TryAdd(block.Rip, node))
            {
                found.Add(node);
            }
        }

        return new RegionLayout(nodes, found).Order();
    }

    /// <summary>Its blocks are interpreted from now on, and no link leads to it.</summary>
    public void Invalidate()
    {
        _places = [];
        foreach (Block block in _blocks)
        {
            block.Remove(this);
            if (ReferenceEquals(block.Region, this))
            {
                block.Region = null;
                block.Heat = 0;
            }
        }
    }
}

using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>What the interpreter has seen of a block, for the compiler: where it goes, and in which pages its memory operands were.</summary>
internal sealed class BlockNotes
{
    /// <summary>How many executions are noted before a block is compiled.</summary>
    public const int Executions = 16;

    private const int MostTargets = 32;

    /// <summary>The object, and the list of targets, if there may be one.</summary>
    private const int FixedSize = 64;
    private const int TargetsSize = 64 + (MostTargets * sizeof(ulong));

    /// <summary>What <see cref="_pages"/> has for an operand that was in several.</summary>
    private const ushort Several = ushort.MaxValue;

    private List<ulong>? _targets;

    /// <summary>For each instruction a number of the page, from 1 on; zero if there was none. Few pages have the same number.</summary>
    private ushort[]? _pages;

    /// <summary>Where the last instruction, an indirect jump or call, was seen to go.</summary>
    public IReadOnlyList<ulong> Targets => _targets ?? [];

    /// <summary>About how many bytes of the host's memory the notes of a block take at most.</summary>
    public static int SizeOf(MicroOp[] ops) =>
        FixedSize + (ops.Length * sizeof(ushort)) + (ops[^1].Op is Op.JmpIndirect or Op.CallIndirect ? TargetsSize : 0);

    /// <summary>Notes where the indirect branch at its end goes, unless those are many.</summary>
    public void NoteTarget(ulong rip)
    {
        _targets ??= [];
        if (_targets.Count < MostTargets && !_targets.Contains(rip))
        {
            _targets.Add(rip);
        }
    }

    /// <summary>Notes where the operand of an instruction is.</summary>
    /// <param name="instruction">Which one of the block it is.</param>
    /// <param name="count">How many the block has.</param>
    /// <param name="address">The address of the operand.</param>
    public void NotePage(int instruction, int count, ulong address)
    {
        _pages ??= new ushort[count];
        ref ushort noted = ref _pages[instruction];
        ushort page = NumberOf(address);
        noted = noted == 0 || noted == page ? page : Several;
    }

    /// <summary>The number of the page that the operand of an instruction was in each time; none if there were several, or nothing was noted.</summary>
    public int? FindPage(int instruction) =>
        _pages is { } pages && pages[instruction] is var page and not (0 or Several) ? page : null;

    /// <summary>Gives up in which pages operands were.</summary>
    public void ForgetPages() => _pages = null;

    private static ushort NumberOf(ulong address) => (ushort)(1 + ((address >> HostPage.Shift) % (Several - 1)));
}

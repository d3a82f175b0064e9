namespace Hyperlight.Emulator.Decoding;

/// <summary>Whether memory operands of a block are in the same page each time, as the interpreter has seen them.</summary>
/// <param name="count">How many instructions the block has.</param>
internal sealed class PageProfile(int count)
{
    /// <summary>How many executions are noted.</summary>
    public const int Executions = 8;

    /// <summary>How many of them may use another page than the one before: an array has several pages.</summary>
    private const int MostChanges = 1;

    /// <summary>The page that each operand was in last, one more than its number; zero if there was none.</summary>
    private readonly ulong[] _pages = new ulong[count];
    private readonly byte[] _changes = new byte[count];

    /// <summary>Notes where the operand of an instruction is.</summary>
    public void Note(int instruction, ulong address)
    {
        ulong page = (address >> Memory.HostPage.Shift) + 1;
        ref ulong last = ref _pages[instruction];
        if (last != page)
        {
            _changes[instruction] += last == 0 ? (byte)0 : (byte)1;
            last = page;
        }
    }

    /// <summary>Whether the operand of an instruction was in the same page nearly each time.</summary>
    public bool IsSteady(int instruction) => _pages[instruction] != 0 && _changes[instruction] <= MostChanges;
}

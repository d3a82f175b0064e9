using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>In which pages the memory operands of a block were, as the interpreter has seen them.</summary>
/// <param name="count">How many instructions the block has.</param>
internal sealed class PageProfile(int count)
{
    /// <summary>How many executions are noted.</summary>
    public const int Executions = 16;

    /// <summary>What <see cref="_pages"/> has for an operand that was in several.</summary>
    private const ulong Several = ulong.MaxValue;

    /// <summary>The page of each operand, one more than its number; zero if there was none.</summary>
    private readonly ulong[] _pages = new ulong[count];

    /// <summary>Notes where the operand of an instruction is.</summary>
    public void Note(int instruction, ulong address)
    {
        ulong page = (address >> HostPage.Shift) + 1;
        ref ulong noted = ref _pages[instruction];
        noted = noted == 0 || noted == page ? page : Several;
    }

    /// <summary>The page that the operand of an instruction was in each time; none if there were several, or the block was not noted.</summary>
    public ulong? FindPage(int instruction) => _pages[instruction] is var page and not (0 or Several) ? page - 1 : null;
}

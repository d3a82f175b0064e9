using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>In which pages the memory operands of a block were, as the interpreter has seen them.</summary>
internal struct PageProfile
{
    /// <summary>How many executions are noted.</summary>
    public const int Executions = 16;

    /// <summary>What <see cref="_pages"/> has for an operand that was in several.</summary>
    private const ushort Several = ushort.MaxValue;

    /// <summary>For each instruction a number of the page, from 1 on; zero if there was none. Few pages have the same number.</summary>
    private ushort[]? _pages;

    /// <summary>Notes where the operand of an instruction is.</summary>
    /// <param name="instruction">Which one of the block it is.</param>
    /// <param name="count">How many the block has.</param>
    /// <param name="address">The address of the operand.</param>
    public void Note(int instruction, int count, ulong address)
    {
        _pages ??= new ushort[count];
        ref ushort noted = ref _pages[instruction];
        ushort page = NumberOf(address);
        noted = noted == 0 || noted == page ? page : Several;
    }

    /// <summary>The number of the page that the operand of an instruction was in each time; none if there were several, or nothing was noted.</summary>
    public readonly int? FindPage(int instruction) =>
        _pages is { } pages && pages[instruction] is var page and not (0 or Several) ? page : null;

    private static ushort NumberOf(ulong address) => (ushort)(1 + ((address >> HostPage.Shift) % (Several - 1)));
}

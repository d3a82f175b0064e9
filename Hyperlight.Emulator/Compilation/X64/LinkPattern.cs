using Hyperlight.Emulator.Cpu;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where execution goes on at an address of the machine's <see cref="LinkTable"/>:
/// instructions that look for an entry in each of its places and compare the guest's address, and behind them the two jumps that
/// such an entry permits; the one to another region notes the entry. Nothing else branches into the middle or to the end of them, and nothing changes R13 between them.
/// </summary>
internal sealed class LinkPattern
{
    private const int FirstComparison = 4;

    /// <summary>A comparison, a branch, and a change of R13 to the next place.</summary>
    private const int ComparisonLength = 3;
    private const int LastComparison = FirstComparison + ((LinkTable.Places - 1) * ComparisonLength);
    private const int LookupLength = LastComparison + 2;

    private readonly List<Instruction> _code;
    private readonly Dictionary<ulong, int> _references;
    private readonly ulong _linkedEntry;
    private readonly InstructionInfoFactory _infos = new();
    private readonly HashSet<int> _members = [];

    /// <summary>What is known where a branch goes that nothing else reaches.</summary>
    private readonly Dictionary<ulong, Knowledge> _known = [];

    /// <param name="code">The code.</param>
    /// <param name="references">How often each address is branched to or entered.</param>
    /// <param name="linkedEntry">Where code of other regions enters this code.</param>
    public LinkPattern(List<Instruction> code, Dictionary<ulong, int> references, ulong linkedEntry)
    {
        (_code, _references, _linkedEntry) = (code, references, linkedEntry);
        var knowledge = Knowledge.Nothing;
        ulong found = 0;
        for (int i = 0; i < code.Count;)
        {
            // What found the entry before its last place comes to the end of the lookup from there.
            bool isBehindLookup = i >= LookupLength && code[i].IP == found && references[found] == LinkTable.Places - 1;
            if (references.ContainsKey(code[i].IP) && !isBehindLookup)
            {
                knowledge = KnownAt(i);
            }

            found = IsLookup(i) ? code[i + FirstComparison + 1].NearBranchTarget : found;

            (int length, knowledge) = Match(i, knowledge);
            i += length;
        }
    }

    private enum Knowledge
    {
        Nothing,

        /// <summary>R13 is an entry of the guest's address.</summary>
        Entry,

        /// <summary>It leads to a block of this region.</summary>
        OwnEntry,
    }

    /// <summary>Whether an instruction may use memory at R13, and go there if it is a jump; or note R13.</summary>
    public bool Contains(int position) => _members.Contains(position);

    private Knowledge KnownAt(int position)
    {
        ulong address = _code[position].IP;
        bool followsJump = position > 0 && _code[position - 1].FlowControl is FlowControl.UnconditionalBranch or FlowControl.IndirectBranch;
        return followsJump && _references[address] == 1 ? _known.GetValueOrDefault(address) : Knowledge.Nothing;
    }

    /// <returns>How many instructions were looked at, and what is known behind them.</returns>
    private (int Length, Knowledge Behind) Match(int i, Knowledge knowledge)
    {
        if (IsLookup(i))
        {
            for (int comparison = i + FirstComparison; comparison <= i + LastComparison; comparison += ComparisonLength)
            {
                _members.Add(comparison);
            }

            return (LookupLength, Knowledge.Entry);
        }

        if (knowledge == Knowledge.Entry && IsComparisonWithOwn(i))
        {
            _members.Add(i + 1);
            _known[_code[i + 2].NearBranchTarget] = Knowledge.OwnEntry;
            return (3, Knowledge.Entry);
        }

        if (knowledge == Knowledge.Entry && IsJumpToRegion(i))
        {
            _members.UnionWith([i, i + 1, i + 2]);
            return (3, Knowledge.Nothing);
        }

        if (knowledge == Knowledge.OwnEntry && IsAt(_code[i], Code.Jmp_rm64, LinkEntry.BlockOffset))
        {
            _members.Add(i);
            return (1, Knowledge.Nothing);
        }

        return (1, Keeps(_code[i]) ? knowledge : Knowledge.Nothing);
    }

    private bool IsLookup(int i) => HasStraight(i, LookupLength)
        && _code[i] is { Code: Code.Imul_r32_rm32_imm32, Op0Register: Register.R13D, Op1Register: Register.R14D, Immediate32: LinkTable.Multiplier }
        && _code[i + 1] is { Code: Code.Shr_rm32_imm8, Op0Register: Register.R13D, Immediate8: 32 - LinkTable.MostIndexBits - LinkEntry.Shift }
        && _code[i + 2] is { Code: Code.And_r32_rm32, Op0Register: Register.R13D, MemoryBase: Register.R15, MemoryIndex: Register.None, MemoryDisplacement64: ProcessorState.LinkMaskOffset }
        && _code[i + 3] is { Code: Code.Add_r64_rm64, Op0Register: Register.R13, MemoryBase: Register.R15, MemoryIndex: Register.None, MemoryDisplacement64: ProcessorState.LinksOffset }
        && i + LookupLength < _code.Count
        && Enumerable.Range(1, LinkTable.Places - 1).All(place => IsBeforePlace(i + FirstComparison + ((place - 1) * ComparisonLength), place, _code[i + LookupLength].IP))
        && IsComparisonWithAddress(i + LastComparison)
        && _code[i + LastComparison + 1].Mnemonic == Mnemonic.Jne;

    /// <summary>Whether a place is compared, and R13 is changed to the one with a number if that is not it.</summary>
    private bool IsBeforePlace(int i, int place, ulong found) =>
        IsComparisonWithAddress(i)
        && _code[i + 1].Mnemonic == Mnemonic.Je && _code[i + 1].NearBranchTarget == found
        && _code[i + 2] is { Code: Code.Xor_rm64_imm8, Op0Register: Register.R13 } change
        && change.Immediate8 == (place ^ (place - 1)) << LinkEntry.Shift;

    private bool IsComparisonWithAddress(int i) =>
        _code[i] is { Op0Register: Register.R14 } compared && IsAt(compared, Code.Cmp_r64_rm64, LinkEntry.RipOffset);

    /// <summary>Whether the entry's region is compared with this one.</summary>
    private bool IsComparisonWithOwn(int i) => HasStraight(i, 3)
        && _code[i] is { Code: Code.Lea_r64_m, Op0Register: Register.R14, IsIPRelativeMemoryOperand: true } own && own.IPRelativeMemoryAddress == _linkedEntry
        && _code[i + 1] is { Op0Register: Register.R14 } compared && IsAt(compared, Code.Cmp_r64_rm64, LinkEntry.RegionOffset)
        && _code[i + 2].Mnemonic == Mnemonic.Je;

    private bool IsJumpToRegion(int i) => HasStraight(i, 3)
        && _code[i] is { Code: Code.Mov_rm64_r64, Op1Register: Register.R13, MemoryBase: Register.R15, MemoryIndex: Register.None, MemoryDisplacement64: ProcessorState.LinkedOffset }
        && _code[i + 1] is { Op0Register: Register.R14 } loaded && IsAt(loaded, Code.Mov_r64_rm64, LinkEntry.BlockOffset)
        && IsAt(_code[i + 2], Code.Jmp_rm64, LinkEntry.RegionOffset);

    /// <inheritdoc cref="StraightCode.Is"/>
    private bool HasStraight(int start, int length) => StraightCode.Is(_code, _references, start, length);

    private static bool IsAt(in Instruction instruction, Code code, int offset) =>
        instruction.Code == code && instruction is { MemoryBase: Register.R13, MemoryIndex: Register.None }
        && instruction.MemoryDisplacement64 == (ulong)offset;

    private bool Keeps(in Instruction instruction)
    {
        if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
        {
            return false;
        }

        foreach (UsedRegister used in _infos.GetInfo(in instruction).GetUsedRegisters())
        {
            bool isWrite = used.Access is not (OpAccess.Read or OpAccess.CondRead or OpAccess.None or OpAccess.NoMemAccess);
            if (isWrite && used.Register.IsGPR() && used.Register.GetFullRegister() == Register.R13)
            {
                return false;
            }
        }

        return true;
    }
}

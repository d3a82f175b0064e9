using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where an address of the guest becomes one of the host by a prediction. Each is in three parts: instructions
/// that compare the address with the prediction and add the address of its page; those that are executed if it is another page, which have
/// a function look the translation up, compare again, and come back behind the first ones; and that function, which may write predictions. It
/// copies an entry whose tag agrees with the address, and is only called with the number of a prediction.
/// </summary>
internal sealed class PredictionPattern
{
    /// <summary>The processor shifts an index by three at most: it counts halves of predictions.</summary>
    private const int IndexPerPrediction = PredictionEntry.Size / EntryScale;
    private const int EntryScale = 8;
    private const int CreditScale = sizeof(int) / IndexPerPrediction;

    private const int CheckLength = 4;
    private const int MissLength = 6;

    /// <summary>Of the function, where the processor has no RORX.</summary>
    private const int LookUpLength = 19;

    private readonly List<Instruction> _code;
    private readonly Dictionary<ulong, int> _positions;
    private readonly Dictionary<ulong, int> _references;
    private readonly int _translations;
    private readonly int _predictions;
    private readonly Dictionary<int, TranslationPattern.Permission> _permissions = [];
    private readonly HashSet<int> _members = [];
    private readonly HashSet<ulong> _joins = [];

    /// <param name="code">The code.</param>
    /// <param name="positions">Where each instruction is in it.</param>
    /// <param name="references">How often each address is branched to or entered.</param>
    /// <param name="isUser">Whether the code's accesses are those of a user.</param>
    public PredictionPattern(List<Instruction> code, Dictionary<ulong, int> positions, Dictionary<ulong, int> references, bool isUser)
    {
        (_code, _positions, _references) = (code, positions, references);
        (_translations, _predictions) = isUser
            ? (ProcessorState.UserTranslationsOffset, ProcessorState.UserPredictionsOffset)
            : (ProcessorState.SupervisorTranslationsOffset, ProcessorState.SupervisorPredictionsOffset);
        List<Place> places = [];
        for (int i = 0; i + CheckLength < code.Count; i++)
        {
            if (FindPlace(i) is { } place)
            {
                places.Add(place);
            }
        }

        // A function is one only if nothing but these places calls it.
        foreach (IGrouping<ulong, Place> group in places.GroupBy(static place => place.LookUp))
        {
            Place first = group.First();
            if (_references[group.Key] == group.Select(static place => place.Miss).Distinct().Count()
                && group.All(place => place.IsWrite == first.IsWrite) && MatchLookUp(_positions[group.Key], first.IsWrite))
            {
                foreach (Place place in group)
                {
                    Accept(in place);
                }
            }
        }
    }

    /// <summary>Whether an instruction belongs to such a place, and uses the memory of predictions or translations as one may there.</summary>
    public bool Contains(int position) => _members.Contains(position);

    /// <summary>What R14 may be used for after an instruction, if that ends the first part of a place.</summary>
    public TranslationPattern.Permission? PermissionAfter(int position) =>
        _permissions.TryGetValue(position, out TranslationPattern.Permission permission) ? permission : null;

    /// <summary>Whether both ways to an address have the same permission: that behind the first part, and the one that comes back.</summary>
    public bool IsJoin(ulong address) => _joins.Contains(address);

    private void Accept(in Place place)
    {
        _members.UnionWith([place.Check, place.Check + CheckLength - 1, place.Miss + 4]);
        _permissions.Add(place.Check + CheckLength - 1, new TranslationPattern.Permission(place.Size, place.IsWrite));
        _joins.Add(_code[place.Check + CheckLength].IP);
    }

    private Place? FindPlace(int check)
    {
        if (!IsStraight(check, CheckLength)
            || Prediction(check, Code.Xor_r64_rm64, PredictionEntry.TagOffset) is not { } prediction
            || Prediction(check + 3, Code.Add_r64_rm64, PredictionEntry.PageOffset) != prediction
            || LastOffset(check + 1) is not { } last || _code[check + 2].Mnemonic != Mnemonic.Ja
            || !_positions.TryGetValue(_code[check + 2].NearBranchTarget, out int miss) || !IsStraight(miss, MissLength))
        {
            return null;
        }

        Instruction back = _code[miss + 5];
        bool holds = _code[miss] is { Code: Code.Mov_r32_imm32, Op0Register: Register.R13D } number && number.Immediate32 == (uint)prediction * IndexPerPrediction
            && _code[miss + 1].FlowControl == FlowControl.Call
            && LastOffset(miss + 2) == last && _code[miss + 3].Mnemonic == Mnemonic.Ja
            && IsEntry(miss + 4, Code.Add_r64_rm64, Register.R14, Register.R13, TlbEntry.PageOffset)
            && back.Mnemonic == Mnemonic.Jmp && back.FlowControl == FlowControl.UnconditionalBranch
            && back.NearBranchTarget == _code[check + CheckLength].IP && _references[back.NearBranchTarget] == 1;
        return holds
            ? new Place(check, miss, _code[miss + 1].NearBranchTarget, HostPage.Size - last, prediction >= PredictionTable.CountForReads)
            : null;
    }

    /// <summary>Whether the function for reads, or for writes, is at a position. Its instructions that use predictions are members then.</summary>
    private bool MatchLookUp(int start, bool isWrite)
    {
        int tag = isWrite ? TlbEntry.WriteTagOffset : TlbEntry.ReadTagOffset;
        int at = start;
        bool isEnteredByCalls = start > 0 && start + LookUpLength <= _code.Count && _code[start - 1].FlowControl is FlowControl.UnconditionalBranch or FlowControl.Return or FlowControl.IndirectBranch;
        bool holds = isEnteredByCalls
            && IsState(at++, Code.Mov_rm64_r64, Register.RAX, ProcessorState.PredictingRaxOffset)
            && IsPrediction(at++, Code.Xor_r64_rm64, Register.R14, PredictionEntry.TagOffset)
            && IsEntryChosen(ref at)
            && IsEntry(at++, Code.Xor_r64_rm64, Register.R14, Register.RAX, tag)
            && LastOffset(at++) == HostPage.Size - 1;
        int toEnd = at++;
        holds = holds && IsCredit(at++);
        int toEndWithoutCredit = at++;
        holds = holds
            && IsState(at++, Code.Mov_rm64_r64, Register.RCX, ProcessorState.PredictingRcxOffset)
            && IsEntry(at++, Code.Mov_r64_rm64, Register.RCX, Register.RAX, tag)
            && IsPrediction(at++, Code.Mov_rm64_r64, Register.RCX, PredictionEntry.TagOffset)
            && IsEntry(at++, Code.Mov_r64_rm64, Register.RCX, Register.RAX, TlbEntry.PageOffset)
            && IsPrediction(at++, Code.Mov_rm64_r64, Register.RCX, PredictionEntry.PageOffset)
            && IsState(at++, Code.Mov_r64_rm64, Register.RCX, ProcessorState.PredictingRcxOffset);
        int end = at;
        holds = holds && end + 2 < _code.Count
            && _code[toEnd].Mnemonic == Mnemonic.Ja && _code[toEnd].NearBranchTarget == _code[end].IP
            && _code[toEndWithoutCredit].Mnemonic == Mnemonic.Js && _code[toEndWithoutCredit].NearBranchTarget == _code[end].IP
            && _references[_code[end].IP] == 2
            && _code[end] is { Code: Code.Mov_rm32_r32, Op0Register: Register.R13D, Op1Register: Register.EAX }
            && IsState(end + 1, Code.Mov_r64_rm64, Register.RAX, ProcessorState.PredictingRaxOffset)
            && _code[end + 2].FlowControl == FlowControl.Return
            && IsStraight(start, end - start) && IsStraight(end, 3);
        if (holds)
        {
            _members.UnionWith(Enumerable.Range(start, end - start));
        }

        return holds;
    }

    /// <summary>Whether the place of the entry of the address in R14 is put into RAX.</summary>
    private bool IsEntryChosen(ref int at)
    {
        const int Shift = HostPage.Shift - Tlb.EntryShift;
        bool holds;
        if (_code[at].Mnemonic == Mnemonic.Rorx)
        {
            holds = _code[at++] is { Code: Code.VEX_Rorx_r32_rm32_imm8, Op0Register: Register.EAX, Op1Register: Register.R14D, Immediate8: Shift };
        }
        else
        {
            holds = _code[at++] is { Code: Code.Mov_rm32_r32, Op0Register: Register.EAX, Op1Register: Register.R14D }
                && _code[at++] is { Code: Code.Shr_rm32_imm8, Op0Register: Register.EAX, Immediate8: Shift };
        }

        return holds && _code[at++] is { Code: Code.And_rm32_imm32, Op0Register: Register.EAX } and && and.Immediate32 == Tlb.IndexMask << Tlb.EntryShift;
    }

    /// <summary>The number of the prediction of which an instruction with R14 uses a part.</summary>
    private int? Prediction(int position, Code code, int part)
    {
        Instruction instruction = _code[position];
        long offset = (long)instruction.MemoryDisplacement64 - (_predictions + part);
        return instruction.Code == code && instruction is { Op0Register: Register.R14, MemoryBase: Register.R15, MemoryIndex: Register.None }
            && offset >= 0 && offset % PredictionEntry.Size == 0 && offset / PredictionEntry.Size < PredictionTable.Count
            ? (int)(offset / PredictionEntry.Size)
            : null;
    }

    /// <summary>Whether an instruction uses a part of the prediction of which the index is in R13, and a register.</summary>
    private bool IsPrediction(int position, Code code, Register register, int part) =>
        _code[position] is var instruction && instruction.Code == code
        && (instruction.Op0Register == register || instruction.Op1Register == register)
        && instruction is { MemoryBase: Register.R15, MemoryIndex: Register.R13, MemoryIndexScale: EntryScale }
        && instruction.MemoryDisplacement64 == (ulong)(_predictions + part);

    private bool IsCredit(int position) =>
        _code[position] is { Code: Code.Sub_rm32_imm8, MemoryBase: Register.R15, MemoryIndex: Register.R13, MemoryIndexScale: CreditScale, Immediate8: 1 } credit
        && credit.MemoryDisplacement64 == (ulong)(_predictions + PredictionTable.CreditsOffset);

    /// <summary>Whether an instruction loads a field of an entry, or compares with one.</summary>
    private bool IsEntry(int position, Code code, Register register, Register index, int field) =>
        _code[position] is var instruction && instruction.Code == code && instruction.Op0Register == register
        && instruction is { MemoryBase: Register.R15, MemoryIndexScale: 1 } && instruction.MemoryIndex == index
        && instruction.MemoryDisplacement64 == (ulong)(_translations + field);

    private bool IsState(int position, Code code, Register register, int offset) =>
        _code[position] is var instruction && instruction.Code == code
        && (instruction.Op0Register == register || instruction.Op1Register == register)
        && instruction is { MemoryBase: Register.R15, MemoryIndex: Register.None } && instruction.MemoryDisplacement64 == (ulong)offset;

    /// <summary>The last offset within a page that a comparison lets pass.</summary>
    private int? LastOffset(int position) =>
        _code[position] is { Code: Code.Cmp_rm64_imm32, Op0Register: Register.R14 } compare
        && (long)compare.Immediate32to64 is >= 0 and < HostPage.Size and var last ? (int)last : null;

    /// <inheritdoc cref="StraightCode.Is"/>
    private bool IsStraight(int start, int length) => StraightCode.Is(_code, _references, start, length);

    /// <summary>A place.</summary>
    /// <param name="Check">The first part.</param>
    /// <param name="Miss">The part for another page.</param>
    /// <param name="LookUp">The address of the function.</param>
    /// <param name="Size">How many bytes from the address are in the page.</param>
    /// <param name="IsWrite">Whether they may be written.</param>
    private readonly record struct Place(int Check, int Miss, ulong LookUp, int Size, bool IsWrite);
}

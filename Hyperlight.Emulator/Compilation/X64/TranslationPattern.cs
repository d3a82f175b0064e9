using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where an address of the guest becomes one of the host: instructions that look the
/// translation up, compare it and add the address of the page. Nothing branches to any but the first.
/// </summary>
internal sealed class TranslationPattern
{
    private readonly List<Instruction> _code;
    private readonly HashSet<ulong> _targets;
    private readonly Dictionary<int, Permission> _permissions = [];
    private readonly Dictionary<int, int> _lengths = [];
    private readonly HashSet<int> _members = [];
    private readonly int _translations;

    public TranslationPattern(List<Instruction> code, HashSet<ulong> targets, bool isUser)
    {
        _translations = isUser ? ProcessorState.UserTranslationsOffset : ProcessorState.SupervisorTranslationsOffset;
        _code = code;
        _targets = targets;
        for (int i = 0; i < code.Count; i++)
        {
            if (Match(i) is (var length, var permission))
            {
                _permissions.Add(i + length - 1, permission);
                _lengths.Add(i + length - 1, length);
                _members.UnionWith(Enumerable.Range(i, length));
            }
        }
    }

    /// <summary>Whether an instruction belongs to such a place.</summary>
    public bool Contains(int position) => _members.Contains(position);

    /// <summary>What R14 may be used for after an instruction, if that is the last of such a place.</summary>
    public Permission? PermissionAfter(int position) =>
        _permissions.TryGetValue(position, out Permission permission) ? permission : null;

    /// <summary>How many instructions a place has whose last one is given.</summary>
    public int LengthUpTo(int position) => _lengths.GetValueOrDefault(position);

    /// <summary>How many instructions of a place at its end are always the same.</summary>
    private const int CheckLength = 5;

    private (int Length, Permission Permission)? Match(int start)
    {
        int first = FindIndex(start);
        int length = first + CheckLength;
        if (first == 0 || start + length > _code.Count)
        {
            return null;
        }

        for (int i = start + 1; i < start + length; i++)
        {
            if (_targets.Contains(_code[i].IP))
            {
                return null;
            }
        }

        int and = start + first;
        Instruction compare = _code[and + 2];
        bool isWritable = IsLoad(and + 1, Code.Xor_r64_rm64, TlbEntry.WriteTagOffset);
        bool matches = Is(and, Code.And_rm32_imm32, Register.R13D, Tlb.IndexMask << Tlb.EntryShift)
            && (isWritable || IsLoad(and + 1, Code.Xor_r64_rm64, TlbEntry.ReadTagOffset))
            && compare.Code == Code.Cmp_rm64_imm32 && compare.Op0Register == Register.R14
            && _code[and + 3].Mnemonic == Mnemonic.Ja
            && IsLoad(and + 4, Code.Add_r64_rm64, TlbEntry.PageOffset);
        long last = compare.Immediate32to64;
        return matches && last is >= 0 and < HostPage.Size
            ? (length, new Permission(HostPage.Size - (int)last, isWritable))
            : null;
    }

    /// <summary>How many instructions put the bits of the address that choose the entry in place: none if others follow.</summary>
    private int FindIndex(int start)
    {
        const int Shift = HostPage.Shift - Tlb.EntryShift;
        if (_code[start] is { Code: Code.VEX_Rorx_r32_rm32_imm8, Op0Register: Register.R13D, Op1Register: Register.R14D, Immediate8: Shift })
        {
            return 1;
        }

        return _code[start].Mnemonic == Mnemonic.Mov && Has(start, Register.R13D, Register.R14D) && start + 1 < _code.Count
            && Is(start + 1, Code.Shr_rm32_imm8, Register.R13D, Shift) ? 2 : 0;
    }

    private bool Has(int position, Register register, Register source) =>
        _code[position] is var instruction && instruction.Op0Register == register && instruction.Op1Register == source;

    private bool Is(int position, Code code, Register register, ulong immediate) =>
        _code[position] is var instruction && instruction.Code == code
        && instruction.Op0Register == register && instruction.GetImmediate(1) == immediate;

    /// <summary>Whether an instruction uses a field of the entry of which the place is in R13.</summary>
    private bool IsLoad(int position, Code code, int offset) =>
        _code[position] is var instruction && instruction.Code == code && instruction.Op0Register == Register.R14
        && instruction is { Op1Kind: OpKind.Memory, MemoryBase: Register.R15, MemoryIndex: Register.R13, MemoryIndexScale: 1 }
        && instruction.MemoryDisplacement64 == (ulong)(_translations + offset);

    /// <summary>What a host address may be used for.</summary>
    /// <param name="Size">How many bytes from it are in the page.</param>
    /// <param name="IsWritable">Whether they may be written.</param>
    internal readonly record struct Permission(int Size, bool IsWritable);
}

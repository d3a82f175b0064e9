using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where an address of the guest becomes one of the host: eight instructions that look the
/// translation up, compare it and add the address of the page. Nothing branches to any but the first.
/// </summary>
internal sealed class TranslationPattern
{
    public const int Length = 8;
    private const int TagPosition = 4;

    private readonly List<Instruction> _code;
    private readonly HashSet<ulong> _targets;
    private readonly Dictionary<int, Permission> _permissions = [];
    private readonly HashSet<int> _members = [];

    public TranslationPattern(List<Instruction> code, HashSet<ulong> targets)
    {
        _code = code;
        _targets = targets;
        for (int i = 0; i + Length <= code.Count; i++)
        {
            if (Match(i) is { } permission)
            {
                _permissions.Add(i + Length - 1, permission);
                _members.UnionWith(Enumerable.Range(i, Length));
            }
        }
    }

    /// <summary>Whether an instruction belongs to such a place.</summary>
    public bool Contains(int position) => _members.Contains(position);

    /// <summary>What R14 may be used for after an instruction, if that is the last of such a place.</summary>
    public Permission? PermissionAfter(int position) =>
        _permissions.TryGetValue(position, out Permission permission) ? permission : null;

    private Permission? Match(int start)
    {
        for (int i = start + 1; i < start + Length; i++)
        {
            if (_targets.Contains(_code[i].IP))
            {
                return null;
            }
        }

        Instruction compare = _code[start + 5];
        long offset = (long)_code[start + TagPosition].MemoryDisplacement64;
        bool matches = _code[start].Mnemonic == Mnemonic.Mov && Has(start, Register.R13D, Register.R14D)
            && Is(start + 1, Code.Shr_rm32_imm8, Register.R13D, (ulong)(HostPage.Shift - Tlb.EntryShift))
            && Is(start + 2, Code.And_rm32_imm32, Register.R13D, Tlb.IndexMask << Tlb.EntryShift)
            && IsLoad(start + 3, Code.Add_r64_rm64, Register.R13, Register.R15, ProcessorState.TranslationsOffset)
            && (IsLoad(start + TagPosition, Code.Xor_r64_rm64, Register.R14, Register.R13, TlbEntry.ReadTagOffset)
                || IsLoad(start + TagPosition, Code.Xor_r64_rm64, Register.R14, Register.R13, TlbEntry.WriteTagOffset))
            && compare.Code == Code.Cmp_rm64_imm32 && compare.Op0Register == Register.R14
            && _code[start + 6].Mnemonic == Mnemonic.Ja
            && IsLoad(start + 7, Code.Add_r64_rm64, Register.R14, Register.R13, TlbEntry.PageOffset);
        long last = compare.Immediate32to64;
        return matches && last is >= 0 and < HostPage.Size
            ? new Permission(HostPage.Size - (int)last, offset == TlbEntry.WriteTagOffset)
            : null;
    }

    private bool Has(int position, Register register, Register source) =>
        _code[position] is var instruction && instruction.Op0Register == register && instruction.Op1Register == source;

    private bool Is(int position, Code code, Register register, ulong immediate) =>
        _code[position] is var instruction && instruction.Code == code
        && instruction.Op0Register == register && instruction.GetImmediate(1) == immediate;

    private bool IsLoad(int position, Code code, Register register, Register from, int offset) =>
        _code[position] is var instruction && instruction.Code == code && instruction.Op0Register == register
        && instruction.Op1Kind == OpKind.Memory && instruction.MemoryBase == from
        && instruction.MemoryIndex == Register.None && instruction.MemoryDisplacement64 == (ulong)offset;

    /// <summary>What a host address may be used for.</summary>
    /// <param name="Size">How many bytes from it are in the page.</param>
    /// <param name="IsWritable">Whether they may be written.</param>
    internal readonly record struct Permission(int Size, bool IsWritable);
}

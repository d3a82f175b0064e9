using System.Numerics;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where the host repeats a string instruction: the number of elements is limited, the first
/// and the last are proved to be in one page of the guest, and that page is translated, for each of the operands. Nothing
/// branches to any of these instructions but the first. Few elements can be copied by a loop instead, which only these checks
/// lead to.
/// </summary>
internal sealed class StringPattern
{
    /// <summary>Of a limit, an address, the check of its page, and its translation.</summary>
    private const int LimitLength = 2;
    private const int CheckLength = 5;

    /// <summary>Of the choice of the loop, and the loop itself.</summary>
    private const int ChoiceLength = 3;
    private const int LoopLength = 8;
    private const int FirstOfLoop = 4;

    private readonly List<Instruction> _code;
    private readonly Dictionary<ulong, int> _references;
    private readonly TranslationPattern _translations;
    private readonly HashSet<int> _elements = [];

    /// <param name="code">The code.</param>
    /// <param name="positions">Where each instruction is in it.</param>
    /// <param name="references">How often each address is branched to or entered.</param>
    /// <param name="translations">The translations in it.</param>
    public StringPattern(
        List<Instruction> code, Dictionary<ulong, int> positions, Dictionary<ulong, int> references, TranslationPattern translations)
    {
        (_code, _references, _translations) = (code, references, translations);
        for (int i = 0; i < code.Count; i++)
        {
            if (code[i].Mnemonic == Mnemonic.Jbe && positions.TryGetValue(code[i].NearBranchTarget, out int loop))
            {
                FindLoop(i, loop);
            }
        }
    }

    /// <summary>Whether an instruction uses an element of which all were translated.</summary>
    public bool IsElement(int position) => _elements.Contains(position);

    /// <summary>Whether an instruction is a repeated string instruction whose elements were all translated.</summary>
    public bool Contains(int position)
    {
        Instruction instruction = _code[position];
        int size = instruction.Code switch
        {
            Code.Movsb_m8_m8 or Code.Stosb_m8_AL => 1,
            Code.Movsw_m16_m16 or Code.Stosw_m16_AX => 2,
            Code.Movsd_m32_m32 or Code.Stosd_m32_EAX => 4,
            Code.Movsq_m64_m64 or Code.Stosq_m64_RAX => 8,
            _ => 0,
        };
        if (size == 0 || !instruction.HasRepPrefix || instruction.HasRepnePrefix || instruction.MemorySegment is not (Register.DS or Register.ES))
        {
            return false;
        }

        bool isCopy = instruction.Mnemonic is Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq;
        int at = position;
        bool holds = IsExchange(--at, Register.RDI, Register.R14)
            && (!isCopy || IsExchange(--at, Register.RSI, Register.RAX))
            && IsMove(--at, Register.R13, Register.RCX)
            && (isCopy || IsLoad(--at, Register.RAX))
            && (isCopy || IsFlagsSaved(--at));
        if (holds && isCopy && IsChoice(at - 1))
        {
            at -= ChoiceLength;
        }

        return holds && AreTranslated(ref at, size, isCopy) && IsStraight(at, position);
    }

    /// <summary>
    /// Finds a loop over elements: the number of elements is at least one, and their addresses and number reach the loop from the
    /// checks alone. Then its index goes from minus that number to minus one, from behind the last element.
    /// </summary>
    /// <param name="jump">The jump to it.</param>
    /// <param name="loop">Where it begins.</param>
    private void FindLoop(int jump, int loop)
    {
        int at = jump - ChoiceLength + 1;
        if (!IsChoice(jump) || loop == 0 || loop + LoopLength > _code.Count || _references[_code[loop].IP] != 1
            || _code[loop - 1].FlowControl is not (FlowControl.UnconditionalBranch or FlowControl.IndirectBranch))
        {
            return;
        }

        int first = loop + FirstOfLoop;
        int size = (int)_code[first].MemorySize.GetSize();
        bool holds = size is 1 or 2 or 4 or 8
            && _code[loop] is { Code: Code.Mov_rm64_r64, Op1Register: Register.RCX, MemoryBase: Register.R15, MemoryIndex: Register.None }
            && IsEnd(loop + 1, Register.RAX, size) && IsEnd(loop + 2, Register.R14, size)
            && _code[loop + 3] is { Code: Code.Neg_rm64, Op0Register: Register.RCX }
            && _code[first] is { Mnemonic: Mnemonic.Mov, Op0Kind: OpKind.Register } load
            && load.Op0Register.GetFullRegister() == Register.R13 && IsIndexed(in load, Register.RAX, size)
            && _code[first + 1] is { Mnemonic: Mnemonic.Mov, Op1Kind: OpKind.Register } store && store.Op1Register == load.Op0Register
            && IsIndexed(in store, Register.R14, size) && (int)store.MemorySize.GetSize() == size
            && _code[first + 2] is { Code: Code.Inc_rm64, Op0Register: Register.RCX }
            && _code[first + 3] is { Mnemonic: Mnemonic.Jne } back && back.NearBranchTarget == _code[first].IP
            && _references[_code[first].IP] == 1
            && IsStraight(loop, first - 1) && IsStraight(first, first + 3)
            && AreTranslated(ref at, size, isCopy: true) && IsStraight(at, jump);
        if (holds)
        {
            _elements.UnionWith([first, first + 1]);
        }
    }

    /// <summary>Whether instructions are translations of the operands behind a limit, which end before a position.</summary>
    private bool AreTranslated(ref int at, int size, bool isCopy) => IsTranslated(ref at, size, isWritable: true)
        && (!isCopy || (IsMove(--at, Register.RAX, Register.R14) && IsFlagsSaved(--at) && IsTranslated(ref at, size, isWritable: false)))
        && IsLimited(ref at);

    /// <summary>Whether nothing branches to instructions behind a first one.</summary>
    private bool IsStraight(int first, int last) => StraightCode.Is(_code, _references, first, last - first + 1);

    /// <summary>Whether a jump is taken only if RCX is not zero, and is few.</summary>
    private bool IsChoice(int jump) => jump >= ChoiceLength - 1 && _code[jump].Mnemonic == Mnemonic.Jbe
        && _code[jump - 1] is { Code: Code.Cmp_rm32_imm8, Op0Register: Register.R13D } compare && compare.GetImmediate(1) < StringInstructions.ElementsPerCheck
        && _code[jump - 2] is { Code: Code.Lea_r32_m, Op0Register: Register.R13D, MemoryBase: Register.RCX, MemoryIndex: Register.None, MemoryDisplacement64: ulong.MaxValue };

    /// <summary>Whether an address becomes that behind the elements.</summary>
    private bool IsEnd(int position, Register register, int size) => _code[position] is { Code: Code.Lea_r64_m } lea
        && lea.Op0Register == register && IsIndexed(in lea, register, size);

    private static bool IsIndexed(in Instruction instruction, Register register, int size) => instruction.MemoryBase == register
        && instruction is { MemoryIndex: Register.RCX, MemoryDisplacement64: 0 } && instruction.MemoryIndexScale == size;

    /// <summary>An address, the check that the elements are in its page, and its translation, which end before a position.</summary>
    private bool IsTranslated(ref int at, int size, bool isWritable)
    {
        int last = at - 1;
        at -= _translations.LengthUpTo(last) + CheckLength;
        return at >= 0 && _translations.PermissionAfter(last) is { } permission && (permission.IsWritable || !isWritable)
            && IsLoad(at, Register.R14)
            && _code[at + 1] is { Code: Code.Lea_r64_m, Op0Register: Register.R13, MemoryBase: Register.R14, MemoryIndex: Register.RCX, MemoryDisplacement64: ulong.MaxValue } lea
            && lea.MemoryIndexScale == 1 << BitOperations.Log2((uint)size)
            && _code[at + 2] is { Mnemonic: Mnemonic.Xor, Op0Register: Register.R13, Op1Register: Register.R14 }
            && _code[at + 3] is { Code: Code.Shr_rm64_imm8, Op0Register: Register.R13, Immediate8: HostPage.Shift }
            && _code[at + 4].Mnemonic == Mnemonic.Jne;
    }

    private bool IsLimited(ref int at)
    {
        at -= LimitLength;
        return at >= 0 && _code[at] is { Code: Code.Cmp_rm64_imm32, Op0Register: Register.RCX } compare
            && compare.Immediate32to64 is > 0 and <= StringInstructions.ElementsPerCheck && _code[at + 1].Mnemonic == Mnemonic.Ja;
    }

    private bool IsFlagsSaved(int at) => at >= 0 && _code[at] is { Code: Code.Mov_rm64_r64, Op1Register: Register.RAX } saved
        && saved is { MemoryBase: Register.R15, MemoryIndex: Register.None, MemoryDisplacement64: ProcessorState.ScratchOffset };

    /// <summary>Whether an instruction does nothing but to load a register from another one or from the state.</summary>
    private bool IsLoad(int at, Register register) =>
        at >= 0 && _code[at] is { Mnemonic: Mnemonic.Mov, Op0Kind: OpKind.Register } load && load.Op0Register == register;

    private bool IsMove(int at, Register to, Register from) =>
        at >= 0 && _code[at] is { Mnemonic: Mnemonic.Mov, Op0Kind: OpKind.Register, Op1Kind: OpKind.Register } move
        && move.Op0Register == to && move.Op1Register == from;

    private bool IsExchange(int at, Register one, Register other) =>
        at >= 0 && _code[at] is { Mnemonic: Mnemonic.Xchg } exchange
        && ((exchange.Op0Register == one && exchange.Op1Register == other) || (exchange.Op0Register == other && exchange.Op1Register == one));
}

using System.Numerics;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds the places in emitted code where the host repeats a string instruction: the number of elements is limited, the first
/// and the last are proved to be in one page of the guest, and that page is translated, for each of the operands. Nothing
/// branches to any of these instructions but the first.
/// </summary>
internal sealed class StringPattern(List<Instruction> code, HashSet<ulong> targets, TranslationPattern translations)
{
    /// <summary>Of a limit, an address, the check of its page, and its translation.</summary>
    private const int LimitLength = 2;
    private const int CheckLength = 5;

    /// <summary>Whether an instruction is a repeated string instruction whose elements were all translated.</summary>
    public bool Contains(int position)
    {
        Instruction instruction = code[position];
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
            && (isCopy || IsFlagsSaved(--at))
            && IsTranslated(ref at, size, isWritable: true)
            && (!isCopy || (IsMove(--at, Register.RAX, Register.R14) && IsFlagsSaved(--at) && IsTranslated(ref at, size, isWritable: false)))
            && IsLimited(ref at);
        for (int i = at + 1; holds && i <= position; i++)
        {
            holds = !targets.Contains(code[i].IP);
        }

        return holds;
    }

    /// <summary>An address, the check that the elements are in its page, and its translation, which end before a position.</summary>
    private bool IsTranslated(ref int at, int size, bool isWritable)
    {
        int last = at - 1;
        at -= TranslationPattern.Length + CheckLength;
        return at >= 0 && translations.PermissionAfter(last) is { } permission && (permission.IsWritable || !isWritable)
            && IsLoad(at, Register.R14)
            && code[at + 1] is { Code: Code.Lea_r64_m, Op0Register: Register.R13, MemoryBase: Register.R14, MemoryIndex: Register.RCX, MemoryDisplacement64: ulong.MaxValue } lea
            && lea.MemoryIndexScale == 1 << BitOperations.Log2((uint)size)
            && code[at + 2] is { Mnemonic: Mnemonic.Xor, Op0Register: Register.R13, Op1Register: Register.R14 }
            && code[at + 3] is { Code: Code.Shr_rm64_imm8, Op0Register: Register.R13, Immediate8: HostPage.Shift }
            && code[at + 4].Mnemonic == Mnemonic.Jne;
    }

    private bool IsLimited(ref int at)
    {
        at -= LimitLength;
        return at >= 0 && code[at] is { Code: Code.Cmp_rm64_imm32, Op0Register: Register.RCX } compare
            && compare.Immediate32to64 is > 0 and <= Processor.ElementsPerCheck && code[at + 1].Mnemonic == Mnemonic.Ja;
    }

    private bool IsFlagsSaved(int at) => at >= 0 && code[at] is { Code: Code.Mov_rm64_r64, Op1Register: Register.RAX } saved
        && saved is { MemoryBase: Register.R15, MemoryIndex: Register.None, MemoryDisplacement64: ProcessorState.ScratchOffset };

    /// <summary>Whether an instruction does nothing but to load a register from another one or from the state.</summary>
    private bool IsLoad(int at, Register register) =>
        at >= 0 && code[at] is { Mnemonic: Mnemonic.Mov, Op0Kind: OpKind.Register } load && load.Op0Register == register;

    private bool IsMove(int at, Register to, Register from) =>
        at >= 0 && code[at] is { Mnemonic: Mnemonic.Mov, Op0Kind: OpKind.Register, Op1Kind: OpKind.Register } move
        && move.Op0Register == to && move.Op1Register == from;

    private bool IsExchange(int at, Register one, Register other) =>
        at >= 0 && code[at] is { Mnemonic: Mnemonic.Xchg } exchange
        && ((exchange.Op0Register == one && exchange.Op1Register == other) || (exchange.Op0Register == other && exchange.Op1Register == one));
}

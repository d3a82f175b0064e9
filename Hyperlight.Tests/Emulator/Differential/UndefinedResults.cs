using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// What the manuals leave undefined, so that processors may differ in it. The source of each line is the description of the
/// instruction, "Flags Affected" and "FPU Flags Affected", in the Intel Software Developer's Manual, volume 2; the AMD
/// Architecture Programmer's Manual, volume 3, "rFLAGS Affected", agrees or leaves more undefined.
/// </summary>
internal readonly record struct UndefinedResults
{
    public const ulong Carry = 1;
    public const ulong Parity = 4;
    public const ulong Adjust = 0x10;
    public const ulong Zero = 0x40;
    public const ulong Sign = 0x80;
    public const ulong Overflow = 0x800;
    public const ulong AllFlags = Carry | Parity | Adjust | Zero | Sign | Overflow;

    private const ushort C0 = 0x100;
    private const ushort C1 = 0x200;
    private const ushort C2 = 0x400;
    private const ushort C3 = 0x4000;

    /// <summary>Bytes of the images that hold where the last x87 instruction and operand were, and reserved ones.</summary>
    private static readonly Range FxPointers = 6..24;
    private static readonly Range FxReserved = 28..32;

    /// <summary>Status flags.</summary>
    public ulong Flags { get; init; }

    /// <summary>One bit for each general register.</summary>
    public ushort Registers { get; init; }

    /// <summary>Condition codes of the x87 status word.</summary>
    public ushort StatusWord { get; init; }

    /// <summary>The destination in memory.</summary>
    public bool Memory { get; init; }

    /// <summary>Bytes of the destination in memory.</summary>
    public Range FirstBytes { get; init; }

    public Range SecondBytes { get; init; }

    /// <summary>What an instruction leaves undefined after it started from a state.</summary>
    public static UndefinedResults Of(in Instruction instruction, in CpuState input)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test:
                return new() { Flags = Adjust };
            case Mnemonic.Mul or Mnemonic.Imul:
                return new() { Flags = Sign | Zero | Adjust | Parity };
            case Mnemonic.Div or Mnemonic.Idiv:
                return new() { Flags = AllFlags };
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar:
                return OfShift(in instruction, Count(in instruction, in input));
            case Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr:
                return new() { Flags = Count(in instruction, in input) > 1 ? Overflow : 0 };
            case Mnemonic.Shld or Mnemonic.Shrd:
                return OfDoubleShift(in instruction, Count(in instruction, in input));
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                return new() { Flags = Overflow | Sign | Adjust | Parity };
            case Mnemonic.Bsf or Mnemonic.Bsr:
                return new() { Flags = Carry | Overflow | Sign | Adjust | Parity };
            case Mnemonic.Lzcnt or Mnemonic.Tzcnt:
                return new() { Flags = Overflow | Sign | Adjust | Parity };
            case Mnemonic.Bswap when instruction.Op0Register.GetSize() == 2:
                return new() { Registers = RegisterBit(instruction.Op0Register) };
            case Mnemonic.Fxsave or Mnemonic.Fxsave64:
                return new() { FirstBytes = FxPointers, SecondBytes = FxReserved };
            case Mnemonic.Fnstenv or Mnemonic.Fnsave:
                bool isShort = instruction.MemorySize is MemorySize.FpuEnv14 or MemorySize.FpuState94;
                return new()
                {
                    FirstBytes = isShort ? 8..10 : 16..18,
                    SecondBytes = isShort ? 12..14 : 24..26,
                    StatusWord = OfX87(instruction.Mnemonic),
                };
            default:
                return new() { StatusWord = OfX87(instruction.Mnemonic) };
        }
    }

    /// <summary>Whether a block may not contain the instruction, because what it leaves undefined would spread.</summary>
    public static bool Spreads(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Fxsave or Mnemonic.Fxsave64 or Mnemonic.Fnstenv or Mnemonic.Fnsave
            or Mnemonic.Fnstsw => true,
        Mnemonic.Bswap => instruction.Op0Register.GetSize() == 2,
        Mnemonic.Shld or Mnemonic.Shrd => instruction.Op1Register.GetSize() == 2,
        _ => ApproximateResults.IsApproximate(instruction.Mnemonic)
            || VendorDifferences.Concern(NativeVendor.Current, in instruction),
    };

    /// <summary>Shift counts are masked to five bits, or six for operands of 64.</summary>
    public static int Count(in Instruction instruction, in CpuState input)
    {
        int index = instruction.OpCount - 1;
        ulong count = instruction.GetOpKind(index) == OpKind.Register ? input.General[CpuState.Rcx] : instruction.GetImmediate(index);
        return (int)count & (OperandSize(in instruction) == 8 ? 63 : 31);
    }

    private static UndefinedResults OfShift(in Instruction instruction, int count)
    {
        if (count == 0)
        {
            return default;
        }

        bool isLogical = instruction.Mnemonic != Mnemonic.Sar;
        return new()
        {
            Flags = Adjust | (count > 1 ? Overflow : 0) | (isLogical && count >= 8 * OperandSize(in instruction) ? Carry : 0),
        };
    }

    private static UndefinedResults OfDoubleShift(in Instruction instruction, int count)
    {
        if (count == 0)
        {
            return default;
        }

        if (count <= 8 * OperandSize(in instruction))
        {
            return new() { Flags = Adjust | (count > 1 ? Overflow : 0) };
        }

        return instruction.Op0Kind == OpKind.Register
            ? new() { Flags = AllFlags, Registers = RegisterBit(instruction.Op0Register) }
            : new() { Flags = AllFlags, Memory = true };
    }

    private static int OperandSize(in Instruction instruction) => instruction.Op0Kind == OpKind.Register
        ? instruction.Op0Register.GetSize()
        : instruction.MemorySize.GetSize();

    private static ushort RegisterBit(Register register) => (ushort)(1 << (register.GetFullRegister() - Register.RAX));

    private static ushort OfX87(Mnemonic mnemonic)
    {
        if (mnemonic is Mnemonic.Fcom or Mnemonic.Fcomp or Mnemonic.Fcompp or Mnemonic.Fucom or Mnemonic.Fucomp
            or Mnemonic.Fucompp or Mnemonic.Ficom or Mnemonic.Ficomp or Mnemonic.Ftst or Mnemonic.Fxam or Mnemonic.Fprem
            or Mnemonic.Fprem1 or Mnemonic.Fninit or Mnemonic.Fldenv or Mnemonic.Frstor or Mnemonic.Fnsave
            or Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Wait)
        {
            return 0;
        }

        if (mnemonic is Mnemonic.Fcomi or Mnemonic.Fcomip or Mnemonic.Fucomi or Mnemonic.Fucomip)
        {
            return 0;
        }

        if (mnemonic is Mnemonic.Fld
            or Mnemonic.Fild or Mnemonic.Fbld or Mnemonic.Fst or Mnemonic.Fstp or Mnemonic.Fist or Mnemonic.Fistp
            or Mnemonic.Fisttp or Mnemonic.Fbstp)
        {
            return C0 | C2 | C3;
        }

        if (mnemonic is Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos or Mnemonic.Fptan)
        {
            return C0 | C3;
        }

        if (mnemonic is Mnemonic.Fnclex or Mnemonic.Fldcw or Mnemonic.Fnstcw or Mnemonic.Fnstenv or Mnemonic.Fnstsw
            or Mnemonic.Fnop or Mnemonic.Ffree)
        {
            return C0 | C1 | C2 | C3;
        }

        return mnemonic.ToString().StartsWith('F') ? (ushort)(C0 | C2 | C3) : (ushort)0;
    }
}

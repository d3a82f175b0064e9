using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>
/// Composes straight lines, branches forwards and bounded loops. Each instruction that needs registers to have certain
/// values follows MOVs that load them, so that every way through the block is safe.
/// </summary>
internal sealed class BlockGenerator
{
    private const int LongestInstruction = 15;

    private readonly RandomSource _random;
    private readonly OperandValues _values;
    private readonly InstructionGenerator _generator;
    private readonly CodePlacement _code;
    private readonly IReadOnlyList<Code> _codes;
    private readonly Encoder _encoder;
    private readonly Candidate _candidate = new();
    private readonly InstructionInfoFactory _info = new();

    /// <summary>The register that counts a loop's rounds, or -1.</summary>
    private int _counter = -1;

    public BlockGenerator(RandomSource random, OperandValues values, CodePlacement code, IReadOnlyList<Code> codes)
    {
        _random = random;
        _values = values;
        _generator = new InstructionGenerator(random, values);
        _code = code;
        _codes = codes;
        _encoder = Encoder.Create(64, code);
    }

    /// <summary>Status flags that are not defined at this point.</summary>
    public ulong UndefinedFlags { get; private set; }

    /// <summary>x87 condition codes that are not defined at this point.</summary>
    public ushort UndefinedStatus { get; private set; }

    /// <summary>Instructions that are executed at least once, or jumped over.</summary>
    public int Count { get; private set; }

    /// <summary>Writes a block of about so many instructions.</summary>
    public void Generate(int length)
    {
        while (Count < length)
        {
            switch (_random.Below(16))
            {
                case 0: SkipConditionally(); break;
                case 1: Loop(); break;
                case 2: Leap(); break;
                default: Next(); break;
            }
        }
    }

    private void Next()
    {
        Code code = _codes[_random.Below(_codes.Count)];
        ulong at = _code.End + (4 * LongestInstruction);
        if (!_generator.TryGenerate(code, at, _candidate) || !IsAllowed())
        {
            return;
        }

        ulong reads = ToFlags(_candidate.Instruction.RflagsRead);
        if ((reads & UndefinedFlags) != 0)
        {
            return;
        }

        foreach (Candidate.Demand demand in _candidate.Registers)
        {
            Load(demand.Register, demand.Value);
        }

        _encoder.Encode(in _candidate.Instruction, _code.End);
        Count++;
        NoteUndefined(in _candidate.Instruction);
    }

    /// <summary>Whether it neither leads RSP or the loop astray, nor needs memory to have a certain content.</summary>
    private bool IsAllowed()
    {
        ref Instruction instruction = ref _candidate.Instruction;
        if (UndefinedResults.Spreads(in instruction) || instruction.Mnemonic is Mnemonic.Popf or Mnemonic.Popfq
            or Mnemonic.Ldmxcsr or Mnemonic.Fldcw or Mnemonic.Fldenv or Mnemonic.Frstor or Mnemonic.Fxrstor or Mnemonic.Fxrstor64)
        {
            return false;
        }

        InstructionInfo info = _info.GetInfo(in instruction);
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i).GetFullRegister() == Register.RSP
                && info.GetOpAccess(i) != OpAccess.Read)
            {
                return false;
            }
        }

        if (_counter >= 0)
        {
            if (_candidate.Requires(_counter))
            {
                return false;
            }

            foreach (UsedRegister used in info.GetUsedRegisters())
            {
                if (used.Register.GetFullRegister() == Register.RAX + _counter && used.Access != OpAccess.Read)
                {
                    return false;
                }
            }
        }

        return IsSafeDivision(in instruction);
    }

    private bool IsSafeDivision(in Instruction instruction)
    {
        if (instruction.Mnemonic is not (Mnemonic.Div or Mnemonic.Idiv))
        {
            return true;
        }

        if (instruction.Op0Kind != OpKind.Register || instruction.Op0Register.GetFullRegister() == Register.RSP)
        {
            return false;
        }

        CpuState state = default;
        foreach (int register in (ReadOnlySpan<int>)
            [CpuState.Rax, CpuState.Rdx, instruction.Op0Register.GetFullRegister() - Register.RAX])
        {
            if (!_candidate.Requires(register))
            {
                _candidate.Require(register, _values.Integer());
            }
        }

        foreach (Candidate.Demand demand in _candidate.Registers)
        {
            if (demand.Register == _counter)
            {
                return false;
            }

            state.General[demand.Register] = demand.Value;
        }

        return !DivideGuard.Faults(in instruction, in state, 0, []);
    }

    private void NoteUndefined(in Instruction instruction)
    {
        bool isShift = instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol
            or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd;
        CpuState none = default;
        UndefinedResults undefined = UndefinedResults.Of(in instruction, in none);
        bool countIsUnknown = isShift && instruction.GetOpKind(instruction.OpCount - 1) == OpKind.Register;
        bool mayKeep = isShift || instruction.HasRepPrefix || instruction.HasRepnePrefix;
        ulong defined = mayKeep ? 0 : ToFlags(instruction.RflagsModified);
        UndefinedFlags = (UndefinedFlags & ~defined) | (countIsUnknown ? UndefinedResults.AllFlags : undefined.Flags);
        UndefinedStatus |= undefined.StatusWord;
    }

    private static ulong ToFlags(RflagsBits bits) =>
        ((bits & RflagsBits.CF) != 0 ? UndefinedResults.Carry : 0)
        | ((bits & RflagsBits.PF) != 0 ? UndefinedResults.Parity : 0)
        | ((bits & RflagsBits.AF) != 0 ? UndefinedResults.Adjust : 0)
        | ((bits & RflagsBits.ZF) != 0 ? UndefinedResults.Zero : 0)
        | ((bits & RflagsBits.SF) != 0 ? UndefinedResults.Sign : 0)
        | ((bits & RflagsBits.OF) != 0 ? UndefinedResults.Overflow : 0);

    /// <summary>Jcc or JRCXZ over a few instructions.</summary>
    private void SkipConditionally()
    {
        const int LongestShortJump = 100;
        int condition = _random.Below(16);
        ulong reads = (condition >> 1) switch
        {
            0 => UndefinedResults.Overflow,
            1 => UndefinedResults.Carry,
            2 => UndefinedResults.Zero,
            3 => UndefinedResults.Carry | UndefinedResults.Zero,
            4 => UndefinedResults.Sign,
            5 => UndefinedResults.Parity,
            6 => UndefinedResults.Sign | UndefinedResults.Overflow,
            _ => UndefinedResults.Zero | UndefinedResults.Sign | UndefinedResults.Overflow,
        };
        bool isCounter = _random.OneIn(6);
        if (!isCounter && (reads & UndefinedFlags) != 0)
        {
            return;
        }

        if (isCounter)
        {
            if (_random.OneIn(2))
            {
                Write(0x67);
            }

            Write(0xE3, 0);
        }
        else
        {
            Write(0x0F, (byte)(0x80 + condition), 0, 0, 0, 0);
        }

        Count++;
        int from = _code.Bytes.Length;
        ulong undefined = UndefinedFlags;
        int skipped = _random.Below(isCounter ? 2 : 4);
        for (int i = 0; i < skipped; i++)
        {
            Next();
        }

        UndefinedFlags |= undefined;
        int distance = _code.Bytes.Length - from;
        if (!isCounter)
        {
            _code.Patch(from - 4, distance);
        }
        else
        {
            Assert.That(distance, Is.LessThan(LongestShortJump));
            _code.PatchByte(from - 1, (byte)distance);
        }
    }

    /// <summary>LOOP, or DEC and JNZ.</summary>
    private void Loop()
    {
        if (_counter >= 0)
        {
            return;
        }

        int counter = _random.OneIn(3) ? CpuState.Rcx : _random.Below(16);
        if (counter == CpuState.Rsp)
        {
            return;
        }

        Load(counter, (ulong)_random.Between(1, 5));
        int top = _code.Bytes.Length;

        // The second round starts with what the first left undefined.
        UndefinedFlags = UndefinedResults.AllFlags;
        _counter = counter;
        int length = _random.Between(1, 6);
        for (int i = 0; i < length; i++)
        {
            Next();
        }

        _counter = -1;
        if (counter == CpuState.Rcx && _code.Bytes.Length - top < 100)
        {
            Write(0xE2, (byte)(top - _code.Bytes.Length - 2));
            Count++;
            return;
        }

        Write((byte)(0x48 + (counter >> 3)), 0xFF, (byte)(0xC8 + (counter & 7)));
        Write(0x0F, 0x85, 0, 0, 0, 0);
        _code.Patch(_code.Bytes.Length - 4, top - _code.Bytes.Length);
        UndefinedFlags &= UndefinedResults.Carry;
        Count += 2;
    }

    /// <summary>JMP, CALL or RET over bytes that are no instruction.</summary>
    private void Leap()
    {
        int register = _random.Below(16);
        int kind = _random.Below(5);
        if ((kind == 4 && (register is CpuState.Rsp || register == _counter)) || _counter == CpuState.Rsp)
        {
            return;
        }

        if (kind is not (0 or 4))
        {
            Load(CpuState.Rsp, _values.Pointer(8));
        }

        int garbage = _random.Below(12);
        ulong at = _code.End;
        switch (kind)
        {
            case 0:
                Write(0xE9, (byte)garbage, 0, 0, 0);
                break;
            case 1:
                Write(0xE8, (byte)garbage, 0, 0, 0);
                break;
            case 2:
                Push(at + 5 + 1 + (ulong)garbage);
                Write(0xC3);
                break;
            case 3:
                // jmp qword ptr [rsp]
                Push(at + 5 + 3 + (ulong)garbage);
                Write(0xFF, 0x24, 0x24);
                break;
            default:
                Load(register, at + 10 + 3 + (ulong)garbage);
                Write((byte)(0x40 + (register >> 3)), 0xFF, (byte)(0xE0 + (register & 7)));
                break;
        }

        Count++;
        for (int i = 0; i < garbage; i++)
        {
            // Not in 64-bit mode.
            Write(0x06);
        }
    }

    private void Push(ulong address)
    {
        Write(0x68, (byte)address, (byte)(address >> 8), (byte)(address >> 16), (byte)(address >> 24));
        Count++;
    }

    /// <summary>MOV with an immediate of 64 bits: always ten bytes.</summary>
    private void Load(int register, ulong value)
    {
        Write((byte)(0x48 + (register >> 3)), (byte)(0xB8 + (register & 7)));
        for (int i = 0; i < 64; i += 8)
        {
            Write((byte)(value >> i));
        }

        Count++;
    }

    private void Write(params ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            _code.WriteByte(b);
        }
    }
}

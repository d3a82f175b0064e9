using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Chooses random operands for an instruction, from what the decoder library knows about its encoding.</summary>
internal sealed class InstructionGenerator(RandomSource random, OperandValues values)
{
    private const int LargestRepetition = 16;
    private const int Attempts = 8;

    private static readonly Register[] Bytes =
    [
        Register.AL, Register.CL, Register.DL, Register.BL, Register.AH, Register.CH, Register.DH, Register.BH, Register.SPL,
        Register.BPL, Register.SIL, Register.DIL, Register.R8L, Register.R9L, Register.R10L, Register.R11L, Register.R12L,
        Register.R13L, Register.R14L, Register.R15L,
    ];

    /// <summary>Whether an instruction may access so many bytes at an address.</summary>
    public Func<ulong, int, bool> MayAccess { get; init; } = TestMemory.IsData;

    private readonly Encoder _encoder = Encoder.Create(64, new NullWriter());
    private readonly InstructionInfoFactory _info = new();

    /// <summary>Fills a candidate with an instruction of this code, encodable at the address. False if none was found.</summary>
    public bool TryGenerate(Code code, ulong address, Candidate candidate)
    {
        for (int i = 0; i < Attempts; i++)
        {
            candidate.Clear();
            if (Choose(code, candidate) && _encoder.TryEncode(in candidate.Instruction, address, out _, out _)
                && StaysInData(candidate))
            {
                return true;
            }
        }

        return false;
    }

    private bool Choose(Code code, Candidate candidate)
    {
        OpCodeInfo info = code.ToOpCode();
        ref Instruction instruction = ref candidate.Instruction;
        instruction.Code = code;
        for (int i = 0; i < info.OpCount; i++)
        {
            SetOperand(info, i, candidate);
        }

        if (info.CanUseLockPrefix && info.GetOpKind(0) is not OpCodeOperandKind.r32_reg && instruction.Op0Kind == OpKind.Memory
            && random.OneIn(3))
        {
            instruction.HasLockPrefix = true;
        }

        if (instruction.IsStringInstruction && random.OneIn(2))
        {
            instruction.HasRepPrefix = random.OneIn(2) || !info.CanUseRepnePrefix;
            instruction.HasRepnePrefix = !instruction.HasRepPrefix;
            bool is32 = instruction.Op0Kind is OpKind.MemorySegESI or OpKind.MemoryESEDI
                || instruction.Op1Kind is OpKind.MemorySegESI or OpKind.MemoryESEDI;
            candidate.Require(CpuState.Rcx, Counter(is32));
        }

        RequireStack(candidate);
        return RequireBitIndex(candidate) && RequireDivision(candidate);
    }

    private ulong Counter(bool is32) => (uint)random.Below(LargestRepetition) | (is32 ? random.Next() << 32 : 0);

    private void SetOperand(OpCodeInfo info, int index, Candidate candidate)
    {
        ref Instruction instruction = ref candidate.Instruction;
        OpCodeOperandKind kind = info.GetOpKind(index);
        switch (kind)
        {
            case OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem
                or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem:
                if (random.OneIn(2))
                {
                    instruction.SetOpRegister(index, RegisterOf(kind));
                    instruction.SetOpKind(index, OpKind.Register);
                }
                else
                {
                    SetMemory(index, candidate);
                }

                break;
            case OpCodeOperandKind.mem:
                SetMemory(index, candidate);
                break;
            case OpCodeOperandKind.mem_offs:
                candidate.OperandAddress = values.Pointer(1);
                instruction.SetOpKind(index, OpKind.Memory);
                instruction.MemoryDisplacement64 = candidate.OperandAddress - ChooseSegment(ref instruction, candidate.OperandAddress);
                instruction.MemoryDisplSize = random.OneIn(3) ? 4 : 8;
                break;
            case >= OpCodeOperandKind.imm8 and <= OpCodeOperandKind.imm64:
                SetImmediate(index, kind, ref instruction);
                break;
            case OpCodeOperandKind.seg_rSI:
                SetString(index, candidate, CpuState.Rsi, OpKind.MemorySegRSI, OpKind.MemorySegESI);
                break;
            case OpCodeOperandKind.es_rDI:
                SetString(index, candidate, CpuState.Rdi, OpKind.MemoryESRDI, OpKind.MemoryESEDI);
                break;
            case OpCodeOperandKind.seg_rDI:
                SetString(index, candidate, CpuState.Rdi, OpKind.MemorySegRDI, OpKind.MemorySegEDI);
                break;
            case OpCodeOperandKind.seg_rBX_al:
                instruction.SetOpKind(index, OpKind.Memory);
                SetTable(candidate);
                break;
            default:
                instruction.SetOpKind(index, OpKind.Register);
                instruction.SetOpRegister(index, RegisterOf(kind));
                break;
        }
    }

    private Register RegisterOf(OpCodeOperandKind kind) => kind switch
    {
        OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode => random.Pick<Register>(Bytes),
        OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_reg_mem or OpCodeOperandKind.r16_rm
            or OpCodeOperandKind.r16_opcode => Register.AX + random.Below(16),
        OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_reg_mem or OpCodeOperandKind.r32_rm
            or OpCodeOperandKind.r32_opcode => Register.EAX + random.Below(16),
        OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_reg_mem or OpCodeOperandKind.r64_rm
            or OpCodeOperandKind.r64_opcode => Register.RAX + random.Below(16),
        OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm => Register.MM0 + random.Below(8),
        OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm => Register.XMM0 + random.Below(16),
        OpCodeOperandKind.al => Register.AL,
        OpCodeOperandKind.cl => Register.CL,
        OpCodeOperandKind.ax => Register.AX,
        OpCodeOperandKind.dx => Register.DX,
        OpCodeOperandKind.eax => Register.EAX,
        OpCodeOperandKind.rax => Register.RAX,
        OpCodeOperandKind.st0 => Register.ST0,
        OpCodeOperandKind.sti_opcode => Register.ST0 + random.Below(8),
        _ => throw new NotSupportedException($"an operand of kind {kind}"),
    };

    private void SetString(int index, Candidate candidate, int register, OpKind wide, OpKind narrow)
    {
        // Two operands have one address size.
        bool is32 = index > 0
            ? candidate.Instruction.Op0Kind is OpKind.MemorySegESI or OpKind.MemoryESEDI
            : random.OneIn(6);
        if (index > 0 && candidate.Instruction.Op0Kind == OpKind.Register)
        {
            is32 = random.OneIn(6);
        }

        // The destination of a string is in ES, whatever the prefix.
        ulong target = values.Pointer(1);
        ulong segment = wide == OpKind.MemoryESRDI ? 0 : ChooseSegment(ref candidate.Instruction, target);
        candidate.Instruction.SetOpKind(index, is32 ? narrow : wide);
        candidate.Require(register, (target - segment) | (is32 ? random.Next() << 32 : 0));
    }

    /// <summary>Chooses an address, and a way to compute it.</summary>
    private void SetMemory(int index, Candidate candidate)
    {
        ref Instruction instruction = ref candidate.Instruction;
        instruction.SetOpKind(index, OpKind.Memory);
        ulong target = values.Pointer(AlignmentOf(in instruction));
        candidate.OperandAddress = target;
        target -= ChooseSegment(ref instruction, target);
        switch (random.Below(8))
        {
            case 0:
                instruction.MemoryDisplacement64 = target;
                instruction.MemoryDisplSize = random.OneIn(4) ? 4 : 8;
                break;
            case 1:
                instruction.MemoryBase = random.OneIn(6) ? Register.EIP : Register.RIP;
                instruction.MemoryDisplacement64 = target;
                instruction.MemoryDisplSize = instruction.MemoryBase == Register.RIP ? 8 : 4;
                break;
            default:
                SetIndexed(target, candidate);
                break;
        }

    }

    /// <summary>
    /// Sometimes chooses a segment, with or without base, and gives its base. Processors of AMD want the offset to be canonical
    /// too, others the address alone: a segment with a base is not chosen where that makes a difference.
    /// </summary>
    private ulong ChooseSegment(ref Instruction instruction, ulong target)
    {
        switch (random.Below(10))
        {
            case 0:
                instruction.SegmentPrefix = random.Pick<Register>([Register.ES, Register.CS, Register.SS, Register.DS]);
                return 0;
            case 1 when IsOffsetAlike(target):
                instruction.SegmentPrefix = Register.GS;
                return TestMemory.GsBase;
            default:
                return 0;
        }
    }

    /// <summary>Whether the offset in GS is canonical where the address is, and where a bit index can move it.</summary>
    private static bool IsOffsetAlike(ulong target)
    {
        const ulong reach = 0x1000;
        foreach (ulong address in (ReadOnlySpan<ulong>)[target - reach, target, target + reach])
        {
            if (IsCanonical(address) != IsCanonical(address - TestMemory.GsBase))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsCanonical(ulong address) => (ulong)((long)(address << 16) >> 16) == address;

    /// <summary>A byte of a table, as XLAT reads it.</summary>
    private void SetTable(Candidate candidate)
    {
        ref Instruction instruction = ref candidate.Instruction;
        bool is32 = random.OneIn(4);
        ulong target = values.Pointer(1);
        ulong segment = ChooseSegment(ref instruction, target);
        instruction.MemoryBase = is32 ? Register.EBX : Register.RBX;
        instruction.MemoryIndex = Register.AL;
        candidate.Require(CpuState.Rbx, (target - segment) | (is32 ? random.Next() << 32 : 0));
    }

    private void SetIndexed(ulong target, Candidate candidate)
    {
        ref Instruction instruction = ref candidate.Instruction;
        bool is32 = random.OneIn(6);
        Register first = is32 ? Register.EAX : Register.RAX;
        int baseRegister = random.Below(16);
        int indexRegister = random.Below(16);
        long displacement = random.Below(4) switch
        {
            0 => 0,
            1 => random.Between(-128, 127),
            2 => (int)random.Next(),
            _ => random.Between(-1000, 1000),
        };
        if (instruction.SegmentPrefix == Register.GS && baseRegister == CpuState.Rsp)
        {
            // A signal would find no stack there.
            baseRegister = CpuState.Rax;
        }

        bool usesStack = baseRegister == CpuState.Rsp;
        if (usesStack)
        {
            // RSP stays where a signal finds a stack.
            displacement = random.Between(-256, 256);
        }

        bool hasIndex = random.OneIn(2) && indexRegister != CpuState.Rsp && indexRegister != baseRegister && !usesStack;
        ulong address = target - (ulong)displacement;
        if (hasIndex)
        {
            int shift = random.Below(4);
            ulong scaled = random.OneIn(2) ? (ulong)random.Below(256) : values.Integer();
            if (random.OneIn(4) && !is32)
            {
                // Without base.
                scaled = address >> shift;
                displacement = (long)(target - (scaled << shift));
                instruction.MemoryBase = Register.None;
                baseRegister = -1;
            }

            candidate.Require(indexRegister, scaled);
            instruction.MemoryIndex = first + indexRegister;
            instruction.MemoryIndexScale = 1 << shift;
            address -= scaled << shift;
        }

        if (baseRegister >= 0)
        {
            instruction.MemoryBase = first + baseRegister;
            candidate.Require(baseRegister, is32 && !usesStack ? (uint)address | (random.Next() << 32) : address);
        }

        instruction.MemoryDisplacement64 = is32 ? (uint)displacement : (ulong)displacement;
        instruction.MemoryDisplSize = displacement == 0 && random.OneIn(2) ? 0
            : displacement == (sbyte)displacement ? random.Pick<int>([1, is32 ? 4 : 8]) : is32 ? 4 : 8;
        if (baseRegister < 0)
        {
            instruction.MemoryDisplSize = 8;
        }
    }

    /// <summary>Vector operands must be aligned where the instruction does not say otherwise.</summary>
    private static int AlignmentOf(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Fxsave or Mnemonic.Fxsave64 or Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Cmpxchg16b => 16,
        Mnemonic.Movups or Mnemonic.Movupd or Mnemonic.Movdqu or Mnemonic.Lddqu or Mnemonic.Pcmpestri or Mnemonic.Pcmpestrm
            or Mnemonic.Pcmpistri or Mnemonic.Pcmpistrm or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm64 => 1,
        _ => instruction.MemorySize.GetSize() == 16 ? 16 : 1,
    };

    private void SetImmediate(int index, OpCodeOperandKind kind, ref Instruction instruction)
    {
        ulong value = values.Integer();
        if (instruction.Mnemonic == Mnemonic.Enter)
        {
            // The frame and the frames that it copies stay in the data.
            value = (ulong)random.Below(index == 0 ? 256 : 8);
        }

        (OpKind opKind, long fitting) = kind switch
        {
            OpCodeOperandKind.imm8_const_1 => (OpKind.Immediate8, 1L),
            OpCodeOperandKind.imm8 => (index == 1 && instruction.Op0Kind is OpKind.Immediate16 or OpKind.Immediate8
                ? OpKind.Immediate8_2nd : OpKind.Immediate8, (byte)value),
            OpCodeOperandKind.imm8sex16 => (OpKind.Immediate8to16, (sbyte)value),
            OpCodeOperandKind.imm8sex32 => (OpKind.Immediate8to32, (sbyte)value),
            OpCodeOperandKind.imm8sex64 => (OpKind.Immediate8to64, (sbyte)value),
            OpCodeOperandKind.imm16 => (OpKind.Immediate16, (ushort)value),
            OpCodeOperandKind.imm32 => (OpKind.Immediate32, (uint)value),
            OpCodeOperandKind.imm32sex64 => (OpKind.Immediate32to64, (int)value),
            _ => (OpKind.Immediate64, (long)value),
        };
        instruction.SetOpKind(index, opKind);
        instruction.SetImmediate(index, fitting);
    }

    private void RequireStack(Candidate candidate)
    {
        if (!candidate.Instruction.IsStackInstruction)
        {
            return;
        }

        if (!candidate.Requires(CpuState.Rsp))
        {
            candidate.Require(CpuState.Rsp, values.Pointer(random.OneIn(4) ? 1 : 8));
        }

        if (candidate.Instruction.Mnemonic is Mnemonic.Leave or Mnemonic.Enter)
        {
            candidate.Require(CpuState.Rbp, values.Pointer(random.OneIn(4) ? 1 : 8));
        }
    }

    /// <summary>A bit index in a register reaches far beyond its memory operand.</summary>
    private bool RequireBitIndex(Candidate candidate)
    {
        ref Instruction instruction = ref candidate.Instruction;
        if (instruction.Mnemonic is not (Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc)
            || instruction.Op0Kind != OpKind.Memory || instruction.Op1Kind != OpKind.Register)
        {
            return true;
        }

        int register = instruction.Op1Register.GetFullRegister() - Register.RAX;
        if (candidate.Requires(register) || register == CpuState.Rsp)
        {
            return false;
        }

        ulong index = (ulong)random.Between(-4000, 4000);
        int size = instruction.Op1Register.GetSize();
        ulong kept = size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;
        candidate.Require(register, (index & kept) | (random.Next() & ~kept));
        return true;
    }

    /// <summary>Most quotients should fit.</summary>
    private bool RequireDivision(Candidate candidate)
    {
        if (candidate.Instruction.Mnemonic is Mnemonic.Div or Mnemonic.Idiv && !random.OneIn(4)
            && !candidate.Requires(CpuState.Rdx) && !candidate.Requires(CpuState.Rax))
        {
            ulong high = random.Below(3) switch { 0 => 0, 1 => ulong.MaxValue, _ => (ulong)random.Below(16) };
            candidate.Require(CpuState.Rdx, high);
            if (candidate.Instruction.Op0Register.GetSize() == 1)
            {
                candidate.Require(CpuState.Rax, (uint)random.Below(0x1000) | (random.Next() << 16));
            }
        }

        return true;
    }

    /// <summary>Whether every access that the decoder library knows of stays inside the data.</summary>
    private bool StaysInData(Candidate candidate)
    {
        InstructionInfo info = _info.GetInfo(in candidate.Instruction);
        foreach (UsedMemory memory in info.GetUsedMemory())
        {
            if (memory.Access == OpAccess.NoMemAccess)
            {
                continue;
            }

            bool known = memory.TryGetVirtualAddress(0, out ulong address, (Register register, int _, int _, out ulong value) =>
                TryGetDemand(candidate, register, out value));
            int size = memory.MemorySize.GetSize();
            if (!known || !MayAccess(address, Math.Max(size, 1)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryGetDemand(Candidate candidate, Register register, out ulong value)
    {
        value = 0;
        if (register.IsSegmentRegister())
        {
            value = register == Register.GS ? TestMemory.GsBase : 0;
            return true;
        }

        foreach (Candidate.Demand demand in candidate.Registers)
        {
            if (Register.RAX + demand.Register == register.GetFullRegister())
            {
                value = register.GetSize() == 4 ? (uint)demand.Value : demand.Value;
                return true;
            }
        }

        // The index of XLAT is a byte of a register that may have any value.
        return register == Register.AL;
    }

    private sealed class NullWriter : CodeWriter
    {
        public override void WriteByte(byte value)
        {
        }
    }
}

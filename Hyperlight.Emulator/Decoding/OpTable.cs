using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Which instruction is which operation.</summary>
internal static class OpTable
{
    public static Op Find(in Instruction instruction)
    {
        if (instruction.IsInvalid)
        {
            return Op.Invalid;
        }

        Op op = Find(instruction.Mnemonic);
        switch (op)
        {
            case Op.Mov:
                return FindMove(in instruction);
            case Op.Imul when instruction.OpCount == 1:
                return Op.Imul1;
            case Op.Jmp or Op.Call when instruction.GetOpKind(0) is OpKind.Register or OpKind.Memory:
                return instruction.IsJmpFarIndirect ? Op.JmpFar
                    : instruction.IsCallFarIndirect ? Op.CallFar
                    : op == Op.Jmp ? Op.JmpIndirect : Op.CallIndirect;
            case Op.Push or Op.Pop when instruction.GetOpKind(0) == OpKind.Register && !instruction.Op0Register.IsGPR():
                return op == Op.Push ? Op.PushSegment : Op.PopSegment;
            default:
                return op;
        }
    }

    /// <summary>Whether execution may go elsewhere after it, or may see other memory.</summary>
    public static bool EndsBlock(Op op) => op is Op.Invalid or Op.TooLong
        or (>= Op.Jcc and <= Op.Loopne) or Op.Cpuid or Op.Wrmsr
        or Op.MovToControl or Op.MovToSegment or Op.Invlpg or Op.Iretq or Op.Hlt or Op.In or Op.Out
        or Op.Int or Op.Int3 or Op.Int1 or Op.Outs or Op.Lmsw
        or Op.Popf or Op.Sti or Op.MovToDebug or Op.JmpFar or Op.CallFar or Op.Syscall or Op.Sysret or Op.Lss or Op.Ins;

    /// <summary>Whether it reads the time-stamp counter or sets it, or may do so.</summary>
    public static bool ReadsClock(Op op) => op is Op.Rdtsc or Op.Rdtscp or Op.Rdmsr or Op.Wrmsr;

    private static Op FindMove(in Instruction instruction)
    {
        Register destination = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        Register source = instruction.Op1Kind == OpKind.Register ? instruction.Op1Register : Register.None;
        return destination.IsSegmentRegister() ? Op.MovToSegment
            : source.IsSegmentRegister() ? Op.MovFromSegment
            : destination is >= Register.CR0 and <= Register.CR15 ? Op.MovToControl
            : source is >= Register.CR0 and <= Register.CR15 ? Op.MovFromControl
            : destination is >= Register.DR0 and <= Register.DR15 ? Op.MovToDebug
            : source is >= Register.DR0 and <= Register.DR15 ? Op.MovFromDebug
            : Op.Mov;
    }

    private static Op Find(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Nop or Mnemonic.Pause or Mnemonic.Endbr64 or Mnemonic.Endbr32 or Mnemonic.Lfence or Mnemonic.Sfence
            or Mnemonic.Mfence or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1
            or Mnemonic.Prefetcht2 or Mnemonic.Prefetchnta or Mnemonic.Prefetchw or Mnemonic.Prefetch
            or Mnemonic.Prefetchwt1 or Mnemonic.Prefetchit0 or Mnemonic.Prefetchit1 or Mnemonic.Cldemote
            or Mnemonic.Rdsspd or Mnemonic.Rdsspq or Mnemonic.Reservednop => Op.Nop,
        Mnemonic.Mov or Mnemonic.Movnti => Op.Mov,
        Mnemonic.Movbe => Op.Movbe,
        Mnemonic.Lea => Op.Lea,
        Mnemonic.Movzx => Op.Movzx,
        Mnemonic.Movsx or Mnemonic.Movsxd => Op.Movsx,
        Mnemonic.Xchg => Op.Xchg,
        Mnemonic.Push => Op.Push,
        Mnemonic.Pop => Op.Pop,
        Mnemonic.Leave => Op.Leave,
        Mnemonic.Enter => Op.Enter,
        Mnemonic.Add => Op.Add,
        Mnemonic.Or => Op.Or,
        Mnemonic.Adc => Op.Adc,
        Mnemonic.Sbb => Op.Sbb,
        Mnemonic.And => Op.And,
        Mnemonic.Sub => Op.Sub,
        Mnemonic.Xor => Op.Xor,
        Mnemonic.Cmp => Op.Cmp,
        Mnemonic.Test => Op.Test,
        Mnemonic.Inc => Op.Inc,
        Mnemonic.Dec => Op.Dec,
        Mnemonic.Neg => Op.Neg,
        Mnemonic.Not => Op.Not,
        Mnemonic.Shl or Mnemonic.Sal => Op.Shl,
        Mnemonic.Shr => Op.Shr,
        Mnemonic.Sar => Op.Sar,
        Mnemonic.Rol => Op.Rol,
        Mnemonic.Ror => Op.Ror,
        Mnemonic.Rcl => Op.Rcl,
        Mnemonic.Rcr => Op.Rcr,
        Mnemonic.Shld => Op.Shld,
        Mnemonic.Shrd => Op.Shrd,
        Mnemonic.Mul => Op.Mul,
        Mnemonic.Imul => Op.Imul,
        Mnemonic.Div => Op.Div,
        Mnemonic.Idiv => Op.Idiv,
        Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe => Op.Cbw,
        Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo => Op.Cwd,
        Mnemonic.Bswap => Op.Bswap,
        Mnemonic.Xadd => Op.Xadd,
        Mnemonic.Cmpxchg => Op.Cmpxchg,
        Mnemonic.Cmpxchg8b => Op.Cmpxchg8b,
        Mnemonic.Cmpxchg16b => Op.Cmpxchg16b,
        Mnemonic.Bt => Op.Bt,
        Mnemonic.Bts => Op.Bts,
        Mnemonic.Btr => Op.Btr,
        Mnemonic.Btc => Op.Btc,
        Mnemonic.Bsf => Op.Bsf,
        Mnemonic.Bsr => Op.Bsr,
        Mnemonic.Tzcnt => Op.Tzcnt,
        Mnemonic.Lzcnt => Op.Lzcnt,
        Mnemonic.Popcnt => Op.Popcnt,
        Mnemonic.Crc32 => Op.Crc32,
        Mnemonic.Jmp => Op.Jmp,
        Mnemonic.Call => Op.Call,
        Mnemonic.Ret => Op.Ret,
        Mnemonic.Retf => Op.Retf,
        Mnemonic.Jrcxz or Mnemonic.Jecxz => Op.Jrcxz,
        Mnemonic.Loop => Op.Loop,
        Mnemonic.Loope => Op.Loope,
        Mnemonic.Loopne => Op.Loopne,
        Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq => Op.Movs,
        Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq => Op.Stos,
        Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq => Op.Lods,
        Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq => Op.Scas,
        Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq => Op.Cmps,
        Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd => Op.Outs,
        _ => FindConditional(mnemonic),
    };

    private static Op FindConditional(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Jo or Mnemonic.Jno or Mnemonic.Jb or Mnemonic.Jae or Mnemonic.Je or Mnemonic.Jne or Mnemonic.Jbe
            or Mnemonic.Ja or Mnemonic.Js or Mnemonic.Jns or Mnemonic.Jp or Mnemonic.Jnp or Mnemonic.Jl
            or Mnemonic.Jge or Mnemonic.Jle or Mnemonic.Jg => Op.Jcc,
        Mnemonic.Seto or Mnemonic.Setno or Mnemonic.Setb or Mnemonic.Setae or Mnemonic.Sete or Mnemonic.Setne
            or Mnemonic.Setbe or Mnemonic.Seta or Mnemonic.Sets or Mnemonic.Setns or Mnemonic.Setp or Mnemonic.Setnp
            or Mnemonic.Setl or Mnemonic.Setge or Mnemonic.Setle or Mnemonic.Setg => Op.Setcc,
        Mnemonic.Cmovo or Mnemonic.Cmovno or Mnemonic.Cmovb or Mnemonic.Cmovae or Mnemonic.Cmove or Mnemonic.Cmovne
            or Mnemonic.Cmovbe or Mnemonic.Cmova or Mnemonic.Cmovs or Mnemonic.Cmovns or Mnemonic.Cmovp
            or Mnemonic.Cmovnp or Mnemonic.Cmovl or Mnemonic.Cmovge or Mnemonic.Cmovle or Mnemonic.Cmovg => Op.Cmovcc,
        _ => FindSystem(mnemonic),
    };

    private static Op FindSystem(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Lahf => Op.Lahf,
        Mnemonic.Sahf => Op.Sahf,
        Mnemonic.Pushfq or Mnemonic.Pushf => Op.Pushf,
        Mnemonic.Popfq or Mnemonic.Popf => Op.Popf,
        Mnemonic.Clc => Op.Clc,
        Mnemonic.Stc => Op.Stc,
        Mnemonic.Cmc => Op.Cmc,
        Mnemonic.Cld => Op.Cld,
        Mnemonic.Std => Op.Std,
        Mnemonic.Cli => Op.Cli,
        Mnemonic.Sti => Op.Sti,
        Mnemonic.Cpuid => Op.Cpuid,
        Mnemonic.Rdtsc => Op.Rdtsc,
        Mnemonic.Rdtscp => Op.Rdtscp,
        Mnemonic.Rdmsr => Op.Rdmsr,
        Mnemonic.Wrmsr => Op.Wrmsr,
        Mnemonic.Lgdt => Op.Lgdt,
        Mnemonic.Lidt => Op.Lidt,
        Mnemonic.Sgdt => Op.Sgdt,
        Mnemonic.Sidt => Op.Sidt,
        Mnemonic.Lldt => Op.Lldt,
        Mnemonic.Ltr => Op.Ltr,
        Mnemonic.Sldt => Op.Sldt,
        Mnemonic.Str => Op.Str,
        Mnemonic.Smsw => Op.Smsw,
        Mnemonic.Lmsw => Op.Lmsw,
        Mnemonic.Clts => Op.Clts,
        Mnemonic.Invlpg => Op.Invlpg,
        Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq => Op.Iretq,
        Mnemonic.Hlt => Op.Hlt,
        Mnemonic.In => Op.In,
        Mnemonic.Out => Op.Out,
        Mnemonic.Int => Op.Int,
        Mnemonic.Int3 => Op.Int3,
        Mnemonic.Int1 => Op.Int1,
        Mnemonic.Fxsave or Mnemonic.Fxsave64 => Op.Fxsave,
        Mnemonic.Fxrstor or Mnemonic.Fxrstor64 => Op.Fxrstor,
        Mnemonic.Xsave or Mnemonic.Xsave64 => Op.Xsave,
        Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 => Op.Xsaveopt,
        Mnemonic.Xsavec or Mnemonic.Xsavec64 => Op.Xsavec,
        Mnemonic.Xrstor or Mnemonic.Xrstor64 => Op.Xrstor,
        Mnemonic.Xgetbv => Op.Xgetbv,
        Mnemonic.Xsetbv => Op.Xsetbv,
        Mnemonic.Swapgs => Op.Swapgs,
        Mnemonic.Xlatb => Op.Xlat,
        Mnemonic.Clflush => Op.Clflush,
        _ => FindPrivilege(mnemonic),
    };

    private static Op FindPrivilege(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Syscall => Op.Syscall,
        Mnemonic.Sysret or Mnemonic.Sysretq => Op.Sysret,
        Mnemonic.Rdfsbase => Op.Rdfsbase,
        Mnemonic.Rdgsbase => Op.Rdgsbase,
        Mnemonic.Wrfsbase => Op.Wrfsbase,
        Mnemonic.Wrgsbase => Op.Wrgsbase,
        Mnemonic.Lss => Op.Lss,
        Mnemonic.Lfs => Op.Lfs,
        Mnemonic.Lgs => Op.Lgs,
        Mnemonic.Lar => Op.Lar,
        Mnemonic.Lsl => Op.Lsl,
        Mnemonic.Verr => Op.Verr,
        Mnemonic.Verw => Op.Verw,
        Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd => Op.Ins,
        Mnemonic.Wbinvd or Mnemonic.Invd => Op.Wbinvd,
        Mnemonic.Rdpmc => Op.Rdpmc,
        Mnemonic.Rdpid => Op.Rdpid,
        Mnemonic.Rdrand => Op.Rdrand,
        Mnemonic.Rdseed => Op.Rdseed,
        Mnemonic.Stac => Op.Stac,
        Mnemonic.Clac => Op.Clac,
        _ => Op.Invalid,
    };
}

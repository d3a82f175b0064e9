namespace Hyperlight.Emulator.Decoding;

/// <summary>What an instruction does, as the interpreter tells them apart.</summary>
internal enum Op : byte
{
    Invalid, TooLong, Nop,
    Mov, Lea, Movzx, Movsx, Xchg, Push, Pop, Leave,
    Add, Or, Adc, Sbb, And, Sub, Xor, Cmp, Test, Inc, Dec, Neg, Not,
    Shl, Shr, Sar, Rol, Ror, Rcl, Rcr, Shld, Shrd,
    Mul, Imul1, Imul, Div, Idiv,
    Cbw, Cwd, Bswap, Xadd, Cmpxchg, Cmpxchg8b, Cmpxchg16b,
    Bt, Bts, Btr, Btc, Bsf, Bsr, Tzcnt, Lzcnt, Popcnt,
    Jcc, Jmp, JmpIndirect, Call, CallIndirect, Ret, Retf, Jrcxz, Loop, Loope, Loopne, Setcc, Cmovcc,
    Movs, Stos, Lods, Scas, Cmps, Outs,
    Lahf, Sahf, Pushf, Popf, Clc, Stc, Cmc, Cld, Std, Cli, Sti,
    Cpuid, Rdtsc, Rdtscp, Rdmsr, Wrmsr, Lgdt, Lidt, Sgdt, Sidt, Lldt, Ltr, Sldt, Str, Smsw, Lmsw, Clts,
    MovFromControl, MovToControl, MovFromDebug, MovToDebug, MovFromSegment, MovToSegment,
    Invlpg, Iretq, Hlt, In, Out, Int, Int3, Int1, Fxsave, Fxrstor, Swapgs, Xlat, Enter,
    Vector, Crc32, Movbe, Clflush,
    JmpFar, CallFar, Syscall, Sysret, Rdfsbase, Rdgsbase, Wrfsbase, Wrgsbase, Lss, Lfs, Lgs, PushSegment, PopSegment,
    Lar, Lsl, Verr, Verw, Ins, Wbinvd, Rdpmc, Rdpid, Rdrand, Rdseed, Stac, Clac,
    X87, Mmx, Xsave, Xsaveopt, Xsavec, Xrstor, Xgetbv, Xsetbv,
}

/// <summary>Where an operand is.</summary>
internal enum OperandKind : byte
{
    None,
    Register,
    HighByte,
    Memory,
    Immediate,
}

/// <summary>The prefix of a string instruction.</summary>
internal enum Repeat : byte
{
    None,
    WhileEqual,
    WhileNotEqual,
}

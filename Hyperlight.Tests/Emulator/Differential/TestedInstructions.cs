using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Which instructions are compared with the processor: every one of the sets below that a program at CPL 3 may use.</summary>
internal static class TestedInstructions
{
    /// <summary>x86-64-v2, with what every processor of that level has besides.</summary>
    private static readonly HashSet<CpuidFeature> Sets =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386, CpuidFeature.INTEL486,
        CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.MULTIBYTENOP,
        CpuidFeature.PAUSE, CpuidFeature.FPU, CpuidFeature.FPU287, CpuidFeature.FPU387, CpuidFeature.MMX, CpuidFeature.FXSR,
        CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1, CpuidFeature.SSE4_2,
        CpuidFeature.POPCNT, CpuidFeature.MOVBE, CpuidFeature.LZCNT, CpuidFeature.BMI1, CpuidFeature.PREFETCHW,
        CpuidFeature.CLFSH,
    ];

    /// <summary>Instructions that need privileges, leave the program, or give what only the system knows.</summary>
    private static readonly HashSet<Mnemonic> Excluded =
    [
        // Privileged by IOPL or CR4, or they show descriptor tables and the state of the system.
        Mnemonic.Cli, Mnemonic.Sti, Mnemonic.In, Mnemonic.Out, Mnemonic.Insb, Mnemonic.Insw, Mnemonic.Insd, Mnemonic.Outsb,
        Mnemonic.Outsw, Mnemonic.Outsd, Mnemonic.Sgdt, Mnemonic.Sidt, Mnemonic.Sldt, Mnemonic.Str, Mnemonic.Smsw, Mnemonic.Lar,
        Mnemonic.Lsl, Mnemonic.Verr, Mnemonic.Verw, Mnemonic.Lss, Mnemonic.Lfs, Mnemonic.Lgs, Mnemonic.Cpuid,

        // Not documented or not implemented by every vendor.
        Mnemonic.Reservednop, Mnemonic.Fstpnce, Mnemonic.Ffreep, Mnemonic.Ud0, Mnemonic.Ud1, Mnemonic.Ud2,
    ];

    /// <summary>Branches are not among them: blocks compose those themselves.</summary>
    public static IReadOnlyList<Code> All { get; } = [.. Enum.GetValues<Code>().Where(IsTested)];

    /// <summary>Whether the emulator's instructions are compared with hardware by the generators.</summary>
    public static bool IsTested(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (!info.IsInstruction || !info.Mode64 || info.Encoding != EncodingKind.Legacy || info.IsPrivileged || info.MustBeCpl0
            || info.Fwait || info.DecoderOption != DecoderOptions.None || Excluded.Contains(info.Mnemonic)
            || code.FlowControl() != FlowControl.Next)
        {
            return false;
        }

        // Instructions with REP as mandatory prefix of a vendor's extension are listed under the base set too.
        if (code.CpuidFeatures().Any(f => !Sets.Contains(f)))
        {
            return false;
        }

        for (int i = 0; i < info.OpCount; i++)
        {
            if (!IsOrdinary(info.GetOpKind(i)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the operand is neither a segment, control, debug or test register nor a kind of a wider vector set.</summary>
    private static bool IsOrdinary(OpCodeOperandKind kind) => kind is
        OpCodeOperandKind.mem_offs or OpCodeOperandKind.mem
        or (>= OpCodeOperandKind.r8_or_mem and <= OpCodeOperandKind.r32_or_mem)
        or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem
        or OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode
        or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_reg_mem or OpCodeOperandKind.r16_rm or OpCodeOperandKind.r16_opcode
        or OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_reg_mem or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_opcode
        or OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_reg_mem or OpCodeOperandKind.r64_rm or OpCodeOperandKind.r64_opcode
        or OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm
        or (>= OpCodeOperandKind.al and <= OpCodeOperandKind.sti_opcode)
        or (>= OpCodeOperandKind.imm8 and <= OpCodeOperandKind.seg_rBX_al);
}

using System.Runtime.InteropServices;
using Hyperlight.Abstractions;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Segments, descriptor tables and the privilege that follows from them.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct SegmentState
{
    public const int Size = 168;

    public SegmentRegister Es;
    public SegmentRegister Cs;
    public SegmentRegister Ss;
    public SegmentRegister Ds;
    public SegmentRegister Fs;
    public SegmentRegister Gs;
    public SegmentRegister Tr;
    public SegmentRegister Ldtr;
    public DescriptorTableRegister Gdtr;
    public DescriptorTableRegister Idtr;

    /// <summary>The CPL: the DPL of SS, which a null SS has too.</summary>
    public int Cpl;

    /// <summary>Memory is accessed with the rights of user mode.</summary>
    public bool IsUser;

    /// <summary>The processor itself accesses memory, not the instruction: SMAP holds whatever RFLAGS.AC is.</summary>
    public bool IsImplicit;
}

using System.Runtime.InteropServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// The state of a processor: all that a guest can change of it but its memory and translations. It is outside the managed heap, so that
/// machine code emitted for a guest, which works on the first part, does not hold up a garbage collection. Such code knows the offsets of
/// those fields. The second part is only for the interpreter.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct ProcessorState
{
    /// <summary>Registers that an instruction can name, and one that stays zero.</summary>
    public const int RegisterCount = 17;
    public const int XmmCount = 16;
    public const int XmmSize = 16;

    public const int XmmOffset = (RegisterCount + 1) * sizeof(ulong);
    public const int InterpretOffset = XmmOffset + (XmmCount * XmmSize);
    public const int LinksOffset = InterpretOffset + 8;
    public const int LinkMaskOffset = LinksOffset + 8;
    public const int LinkedOffset = LinkMaskOffset + 8;
    public const int FlagsOffset = LinkedOffset + 8;
    public const int RipOffset = FlagsOffset + 8;
    public const int RemainingOffset = RipOffset + 8;
    public const int ScratchOffset = RemainingOffset + 8;
    public const int ElementsOffset = ScratchOffset + 8;
    public const int PartOffset = ElementsOffset + 8;
    public const int FsBaseOffset = PartOffset + 8;
    public const int GsBaseOffset = FsBaseOffset + 8;
    public const int CancelRequestedOffset = GsBaseOffset + 8;
    public const int MxcsrOffset = CancelRequestedOffset + 4;
    public const int HostMxcsrOffset = MxcsrOffset + 4;
    public const int ExitOffset = HostMxcsrOffset + 4;
    public const int DirectionOffset = ExitOffset + 4;

    public const int PredictingRaxOffset = (DirectionOffset + 4 + 7) & ~7;
    public const int PredictingRcxOffset = PredictingRaxOffset + 8;

    /// <summary>XMM6 to XMM15, which a function on Windows preserves.</summary>
    public const int HostXmmCount = 10;
    public const int HostXmmOffset = (PredictingRcxOffset + 8 + XmmSize - 1) & ~(XmmSize - 1);

    /// <summary>The first part, which emitted code works on: the verifier refuses any use of the second.</summary>
    public const int EmittedSize = HostXmmOffset + (HostXmmCount * XmmSize);

    private const int ExecutedOffset = EmittedSize;
    private const int ExecutedLimitOffset = ExecutedOffset + 8;
    private const int CodeLimitOffset = ExecutedLimitOffset + 8;
    private const int BlockEndOffset = CodeLimitOffset + 8;
    private const int CountedAgainOffset = BlockEndOffset + 4;
    private const int ResultsOffset = CountedAgainOffset + 4;
    private const int SegmentsOffset = ResultsOffset + FlagResults.Size;
    private const int ControlOffset = SegmentsOffset + SegmentState.Size;
    private const int MsrsOffset = ControlOffset + ControlState.Size;
    private const int DebugOffset = MsrsOffset + MsrState.Size;
    private const int InterruptsOffset = DebugOffset + DebugState.Size;
    private const int X87Offset = InterruptsOffset + InterruptState.Size;
    public const int Size = X87Offset + X87State.Size;

    /// <summary>
    /// Where the translations of supervisor accesses are behind the state, and those of user accesses: code is emitted for one
    /// of them.
    /// </summary>
    public const int SupervisorTranslationsOffset = (Size + CacheLine - 1) & ~(CacheLine - 1);

    /// <inheritdoc cref="SupervisorTranslationsOffset"/>
    public const int UserTranslationsOffset = SupervisorTranslationsOffset + Tlb.Size;

    /// <summary>Where the predictions for such code are.</summary>
    public const int SupervisorPredictionsOffset = UserTranslationsOffset + Tlb.Size;

    /// <inheritdoc cref="SupervisorPredictionsOffset"/>
    public const int UserPredictionsOffset = SupervisorPredictionsOffset + PredictionTable.Size;

    /// <summary>Where the page is that predictions of nothing lead to.</summary>
    public const int UnusedPageOffset = UserPredictionsOffset + PredictionTable.Size;

    /// <summary>The memory of the state and all that is behind it.</summary>
    public const int WholeSize = UnusedPageOffset + HostPage.Size;

    /// <summary>Set in <see cref="CancelRequested"/> once the run has been asked to end.</summary>
    public const int CancelBit = 1;

    /// <summary>Set there once another machine needs the memory of the code.</summary>
    public const int CodeWantedBit = 2;

    private const int CacheLine = 64;

    /// <summary>The general registers in encoding order, and one that stays zero.</summary>
    [FieldOffset(0)]
    public fixed ulong Registers[RegisterCount];

    /// <summary>XMM0 to XMM15, each aligned to its size.</summary>
    [FieldOffset(XmmOffset)]
    public fixed byte Xmm[XmmCount * XmmSize];

    /// <summary>
    /// What emitted code calls to have an instruction interpreted: it takes the state and the instruction's number.
    /// </summary>
    [FieldOffset(InterpretOffset)]
    public delegate* unmanaged[Cdecl]<ProcessorState*, int, int> Interpret;

    /// <summary>Where emitted code goes on, the entries of a <see cref="LinkTable"/>.</summary>
    [FieldOffset(LinksOffset)]
    public LinkEntry* Links;

    /// <summary>The bits of an offset in <see cref="Links"/>: how large the table is.</summary>
    [FieldOffset(LinkMaskOffset)]
    public uint LinkMask;

    /// <summary>The entry by which the running code was entered from other code last; zero if the processor knows the code.</summary>
    [FieldOffset(LinkedOffset)]
    public LinkEntry* Linked;

    /// <summary>The arithmetic flags where emitted code is entered and left: OF in bit 0, the others from bit 8 as LAHF has them.</summary>
    [FieldOffset(FlagsOffset)]
    public ulong Flags;

    /// <summary>Where the guest is. Emitted code writes it when it is left.</summary>
    [FieldOffset(RipOffset)]
    public ulong Rip;

    /// <summary>How many instructions emitted code may still execute.</summary>
    [FieldOffset(RemainingOffset)]
    public long Remaining;

    /// <summary>A value that emitted code keeps within one instruction.</summary>
    [FieldOffset(ScratchOffset)]
    public ulong Scratch;

    /// <summary>How many elements of a string instruction are left.</summary>
    [FieldOffset(ElementsOffset)]
    public ulong Elements;

    /// <summary>How many of them are executed at once.</summary>
    [FieldOffset(PartOffset)]
    public ulong Part;

    /// <summary>The bases of FS and GS while emitted code runs.</summary>
    [FieldOffset(FsBaseOffset)]
    public ulong FsBase;

    /// <inheritdoc cref="FsBase"/>
    [FieldOffset(GsBaseOffset)]
    public ulong GsBase;

    /// <summary>
    /// Not zero once the run has been asked to end or to give its code up. Compiled code looks at it behind what can take long, and
    /// returns to the processor now and then anyway.
    /// </summary>
    [FieldOffset(CancelRequestedOffset)]
    public int CancelRequested;

    /// <summary>The guest's MXCSR.</summary>
    [FieldOffset(MxcsrOffset)]
    public uint Mxcsr;

    /// <summary>The host's, which emitted code restores.</summary>
    [FieldOffset(HostMxcsrOffset)]
    public uint HostMxcsr;

    /// <summary>What the interpreter answered last, a <see cref="Compilation.RegionExit"/>: whether emitted code goes on.</summary>
    [FieldOffset(ExitOffset)]
    public int Exit;

    /// <summary>Not zero while string instructions go to lower addresses.</summary>
    [FieldOffset(DirectionOffset)]
    public int Direction;

    /// <summary>RAX while emitted code looks a translation up.</summary>
    [FieldOffset(PredictingRaxOffset)]
    public ulong PredictingRax;

    /// <summary>RCX while it predicts that translation.</summary>
    [FieldOffset(PredictingRcxOffset)]
    public ulong PredictingRcx;

    /// <summary>The registers of the host that emitted code restores.</summary>
    [FieldOffset(HostXmmOffset)]
    public fixed byte HostXmm[HostXmmCount * XmmSize];

    /// <summary>How many instructions were executed.</summary>
    [FieldOffset(ExecutedOffset)]
    public long Executed;

    /// <summary>How many may have been executed when the run has to end.</summary>
    [FieldOffset(ExecutedLimitOffset)]
    public long ExecutedLimit;

    /// <summary>Up to which number of instructions compiled code runs.</summary>
    [FieldOffset(CodeLimitOffset)]
    public long CodeLimit;

    /// <summary>Instructions of the running block that may be executed: 0 once they may have changed.</summary>
    [FieldOffset(BlockEndOffset)]
    public int BlockEnd;

    /// <summary>How many instructions were counted again since compiled code was entered, because they wrote over themselves.</summary>
    [FieldOffset(CountedAgainOffset)]
    public int CountedAgain;

    /// <summary>RFLAGS.</summary>
    [FieldOffset(ResultsOffset)]
    public FlagResults Results;

    /// <inheritdoc cref="SegmentState"/>
    [FieldOffset(SegmentsOffset)]
    public SegmentState Segments;

    /// <inheritdoc cref="ControlState"/>
    [FieldOffset(ControlOffset)]
    public ControlState Control;

    /// <inheritdoc cref="MsrState"/>
    [FieldOffset(MsrsOffset)]
    public MsrState Msrs;

    /// <inheritdoc cref="DebugState"/>
    [FieldOffset(DebugOffset)]
    public DebugState Debug;

    /// <inheritdoc cref="InterruptState"/>
    [FieldOffset(InterruptsOffset)]
    public InterruptState Interrupts;

    /// <inheritdoc cref="X87State"/>
    [FieldOffset(X87Offset)]
    public X87State X87;

    /// <summary>Whether the run has been asked to end.</summary>
    public readonly bool IsCancelled => (Volatile.Read(in CancelRequested) & CancelBit) != 0;

    /// <summary>Makes the state that of a processor after a reset.</summary>
    public static void Reset(ProcessorState* state)
    {
        *state = default;
        state->Mxcsr = FpuRegisters.MxcsrReset;
        state->ExecutedLimit = long.MaxValue;
        (state->Results.Zero, state->Results.Parity) = (1, 1);
        state->Control.Cr0 = ControlBits.Cr0Reset;
        state->Control.Xcr0 = XsaveComponents.X87Component;
        state->Msrs.ApicBase = ModelSpecificRegisters.ApicBaseReset;
        state->Msrs.Pat = ModelSpecificRegisters.PatReset;
        state->Msrs.MiscEnable = ModelSpecificRegisters.FastStrings;
        (state->Debug.Dr6, state->Debug.Dr7) = (DebugBits.Dr6Fixed, DebugBits.Dr7Fixed);
        (state->Interrupts.Injected, state->Interrupts.Shadowed) = (InterruptState.NoVector, InterruptState.NoShadow);
        state->X87.Control = FpuRegisters.ControlWordReset;
    }
}

using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Where emitted code finds the fields of <see cref="ProcessorState"/>, <see cref="TlbEntry"/> and <see cref="LinkEntry"/>.</summary>
internal static class StateOffsets
{
    public const int SupervisorTranslations = ProcessorState.SupervisorTranslationsOffset;
    public const int UserTranslations = ProcessorState.UserTranslationsOffset;
    public const int SupervisorPredictions = ProcessorState.SupervisorPredictionsOffset;
    public const int UserPredictions = ProcessorState.UserPredictionsOffset;
    public const int PredictingRax = ProcessorState.PredictingRaxOffset;
    public const int PredictingRcx = ProcessorState.PredictingRcxOffset;
    public const int Interpret = ProcessorState.InterpretOffset;
    public const int Links = ProcessorState.LinksOffset;
    public const int LinkMask = ProcessorState.LinkMaskOffset;
    public const int Linked = ProcessorState.LinkedOffset;
    public const int Flags = ProcessorState.FlagsOffset;
    public const int Rip = ProcessorState.RipOffset;
    public const int Remaining = ProcessorState.RemainingOffset;
    public const int Scratch = ProcessorState.ScratchOffset;
    public const int FsBase = ProcessorState.FsBaseOffset;
    public const int GsBase = ProcessorState.GsBaseOffset;
    public const int Direction = ProcessorState.DirectionOffset;
    public const int CancelRequested = ProcessorState.CancelRequestedOffset;
    public const int Mxcsr = ProcessorState.MxcsrOffset;
    public const int HostMxcsr = ProcessorState.HostMxcsrOffset;
    public const int Elements = ProcessorState.ElementsOffset;
    public const int Part = ProcessorState.PartOffset;
    public const int Exit = ProcessorState.ExitOffset;
    public const int ReadTag = TlbEntry.ReadTagOffset;
    public const int WriteTag = TlbEntry.WriteTagOffset;
    public const int Page = TlbEntry.PageOffset;
    public const int LinkedRip = LinkEntry.RipOffset;
    public const int LinkedRegion = LinkEntry.RegionOffset;
    public const int LinkedBlock = LinkEntry.BlockOffset;

    public static int Xmm(int register) => ProcessorState.XmmOffset + (register * ProcessorState.XmmSize);

    public static int HostXmm(int index) => ProcessorState.HostXmmOffset + (index * ProcessorState.XmmSize);

    /// <summary>The general registers are the first field.</summary>
    public static int Register(int guest) => guest * sizeof(ulong);
}

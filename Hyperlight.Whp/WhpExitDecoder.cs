using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Turns an exit context into an exit. Never throws for one it does not know.</summary>
internal static class WhpExitDecoder
{
    private const byte DebugVector = 1;
    private const byte BreakpointVector = 3;

    /// <summary>The platform does not say how many bytes an access to memory had, nor what was written.</summary>
    private const byte UnknownSize = 0;

    public static VmExit Decode(in WhvRunVpExitContext context) => context.ExitReason switch
    {
        WhvRunVpExitReasons.WHvRunVpExitReasonX64IoPortAccess => DecodeIo(in context),
        WhvRunVpExitReasons.WHvRunVpExitReasonX64Halt => VmExit.Halt,
        WhvRunVpExitReasons.WHvRunVpExitReasonX64InterruptWindow => VmExit.InterruptWindow,
        WhvRunVpExitReasons.WHvRunVpExitReasonCanceled => VmExit.Cancelled,
        WhvRunVpExitReasons.WHvRunVpExitReasonMemoryAccess => DecodeMemory(in context.MemoryAccess),
        WhvRunVpExitReasons.WHvRunVpExitReasonUnrecoverableException => VmExit.Shutdown,
        WhvRunVpExitReasons.WHvRunVpExitReasonException when context.VpException.ExceptionType is DebugVector or BreakpointVector =>
            VmExit.Debug(context.VpContext.Rip, context.VpException.ExceptionType, context.VpException.ExceptionParameter),
        WhvRunVpExitReasons.WHvRunVpExitReasonUnsupportedFeature =>
            VmExit.Unknown(context.ExitReason, context.UnsupportedFeature.FeatureCode),
        _ => VmExit.Unknown(context.ExitReason, context.VpContext.Rip),
    };

    /// <summary>IN, INS, and OUT. The elements of an OUTS are in guest memory: the processor reads them.</summary>
    private static VmExit DecodeIo(in WhvRunVpExitContext context)
    {
        ref readonly WhvX64IoPortAccessContext io = ref context.IoPortAccess;
        byte size = io.AccessSize;
        if (size is not (1 or 2 or 4))
        {
            return VmExit.Unknown(context.ExitReason, io.AccessInfo);
        }

        // RAX is the whole register, of which the instruction wrote a part.
        return io.IsWrite
            ? VmExit.IoOut(io.PortNumber, (uint)(io.Rax & (ulong.MaxValue >> (64 - (8 * size)))), size)
            : VmExit.IoIn(io.PortNumber, size);
    }

    private static VmExit DecodeMemory(in WhvMemoryAccessContext memory) => (memory.AccessType, memory.GpaUnmapped) switch
    {
        (WhvMemoryAccessContext.WHvMemoryAccessRead, true) => VmExit.MmioRead(memory.Gpa, UnknownSize),
        (WhvMemoryAccessContext.WHvMemoryAccessWrite, true) => VmExit.MmioWrite(memory.Gpa, 0, UnknownSize),
        (WhvMemoryAccessContext.WHvMemoryAccessRead, false) => VmExit.AccessViolation(memory.Gpa, MemoryFlags.Read),
        (WhvMemoryAccessContext.WHvMemoryAccessWrite, false) => VmExit.AccessViolation(memory.Gpa, MemoryFlags.Write),
        (WhvMemoryAccessContext.WHvMemoryAccessExecute, _) => VmExit.AccessViolation(memory.Gpa, MemoryFlags.Execute),
        _ => VmExit.AccessViolation(memory.Gpa, MemoryFlags.None),
    };
}

using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Turns an intercept message into an exit. Never throws for one it does not know.</summary>
internal static class MshvExitDecoder
{
    private const ushort DebugVector = 1;
    private const ushort BreakpointVector = 3;

    /// <summary>The hypervisor does not say how many bytes an access to memory had, nor what was written.</summary>
    private const byte UnknownSize = 0;

    public static VmExit Decode(in HvMessage message) => message.MessageType switch
    {
        HvMessage.HVMSG_X64_IO_PORT_INTERCEPT => DecodeIo(in message.IoPort),
        HvMessage.HVMSG_X64_HALT => VmExit.Halt,
        HvMessage.HVMSG_X64_INTERRUPTION_DELIVERABLE => VmExit.InterruptWindow,
        HvMessage.HVMSG_UNMAPPED_GPA => DecodeUnmapped(in message.Memory),
        HvMessage.HVMSG_GPA_INTERCEPT => VmExit.AccessViolation(
            message.Memory.GuestPhysicalAddress, Attempted(message.Memory.Header.InterceptAccessType)),
        HvMessage.HVMSG_UNRECOVERABLE_EXCEPTION => VmExit.Shutdown,
        HvMessage.HVMSG_X64_EXCEPTION_INTERCEPT when message.Exception.ExceptionVector is DebugVector or BreakpointVector =>
            VmExit.Debug(
                message.Intercept.Rip, (byte)message.Exception.ExceptionVector, message.Exception.ExceptionParameter),
        _ => VmExit.Unknown(message.MessageType, message.Intercept.Rip),
    };

    /// <summary>An IN, or an OUT whose data are in RAX. Those of OUTS are in guest memory: the processor reads them.</summary>
    private static VmExit DecodeIo(in HvX64IoPortInterceptMessage io)
    {
        byte size = io.AccessSize;
        if (size is not (1 or 2 or 4))
        {
            return VmExit.Unknown(HvMessage.HVMSG_X64_IO_PORT_INTERCEPT, io.AccessInfo);
        }

        if (io.Header.InterceptAccessType != HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_WRITE)
        {
            return VmExit.IoIn(io.PortNumber, size);
        }

        // RAX is the whole register, of which the instruction wrote a part.
        return VmExit.IoOut(io.PortNumber, (uint)(io.Rax & (ulong.MaxValue >> (64 - (8 * size)))), size);
    }

    private static VmExit DecodeUnmapped(in HvX64MemoryInterceptMessage memory) => memory.Header.InterceptAccessType switch
    {
        HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_READ => VmExit.MmioRead(memory.GuestPhysicalAddress, UnknownSize),
        HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_WRITE => VmExit.MmioWrite(memory.GuestPhysicalAddress, 0, UnknownSize),
        byte access => VmExit.AccessViolation(memory.GuestPhysicalAddress, Attempted(access)),
    };

    private static MemoryFlags Attempted(byte access) => access switch
    {
        HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_READ => MemoryFlags.Read,
        HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_WRITE => MemoryFlags.Write,
        HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_EXECUTE => MemoryFlags.Execute,
        _ => MemoryFlags.None,
    };
}

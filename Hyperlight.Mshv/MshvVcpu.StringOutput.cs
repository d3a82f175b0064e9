using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// OUTS, whose data are in guest memory. The hypervisor intercepts the instruction before it has done anything, so one element
/// is executed here. With a REP prefix RIP stays at the instruction until RCX is 0: the next element is another intercept. All
/// that is left between two elements is in the guest's registers.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    /// <summary>Executes one element of OUTS.</summary>
    /// <returns>0, or a negative errno: EAGAIN if there was nothing to write.</returns>
    private int ExecuteStringOutput(in HvX64IoPortInterceptMessage io, out VmExit exit)
    {
        Span<byte> code = stackalloc byte[OutsInstruction.LargestLength];
        code = code[..ReadInstruction(in io, code)];
        byte size = io.AccessSize;
        if (!io.Header.IsIn64BitMode || size is not (1 or 2 or 4) || !OutsInstruction.TryDecode(code, out OutsInstruction outs))
        {
            exit = Failure(in io, code);
            return 0;
        }

        ulong mask = outs.AddressMask(isIn64BitCode: true);
        ulong next = io.Header.Rip + (uint)outs.Length;
        if (io.IsRepeated && (io.Rcx & mask) == 0)
        {
            SkipInstruction(next);
            exit = default;
            return -Errno.EAGAIN;
        }

        Span<byte> data = stackalloc byte[sizeof(uint)];
        data.Clear();
        ulong address = BaseOf(outs.SegmentPrefix) + (io.Rsi & mask);
        if (ReadGuestMemory(address, data[..size], HvCalls.HV_TRANSLATE_GVA_VALIDATE_READ) < size)
        {
            exit = Failure(in io, code);
            return 0;
        }

        GeneralRegisters registers = ReadGeneralRegisters();
        (registers.Rsi, registers.Rcx) = OutsInstruction.Advance(io.Rsi, io.Rcx, io.Header.Rflags, size, io.IsRepeated, mask);
        registers.Rip = io.IsRepeated && registers.Rcx != 0 ? io.Header.Rip : next;
        SetGeneralRegisters(in registers);
        exit = VmExit.IoOut(io.PortNumber, BinaryPrimitives.ReadUInt32LittleEndian(data), size);
        return 0;
    }

    /// <summary>The bytes of the message, or those in guest memory if the hypervisor did not give any.</summary>
    private int ReadInstruction(in HvX64IoPortInterceptMessage io, Span<byte> code)
    {
        if (io.InstructionByteCount == 0)
        {
            return ReadGuestMemory(io.Header.Rip, code, HvCalls.HV_TRANSLATE_GVA_VALIDATE_EXECUTE);
        }

        int length = Math.Min(io.InstructionByteCount, code.Length);
        ReadOnlySpan<byte> bytes = io.InstructionBytes;
        bytes[..length].CopyTo(code);
        return length;
    }

    private ulong BaseOf(byte segmentPrefix)
    {
        if (segmentPrefix == 0)
        {
            return 0;
        }

        Span<HvRegisterAssoc> register =
        [
            Register(segmentPrefix == OutsInstruction.FsPrefix
                ? HvRegisterNames.HV_X64_REGISTER_FS
                : HvRegisterNames.HV_X64_REGISTER_GS),
        ];
        GetRegisters(register);
        return register[0].Value.Segment.Base;
    }

    private static VmExit Failure(in HvX64IoPortInterceptMessage io, ReadOnlySpan<byte> code) =>
        VmExit.EmulationFailure(io.Header.Rip, code, HvMessage.HVMSG_X64_IO_PORT_INTERCEPT);
}

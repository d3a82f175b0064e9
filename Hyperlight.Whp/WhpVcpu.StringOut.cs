using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// OUTS, whose data are in the guest's memory: the hypervisor says where. Each element is an exit of its own; the
/// instruction is entered again for the next one.
/// </summary>
internal sealed unsafe partial class WhpVcpu
{
    /// <summary>Reads an element, and moves on the registers of the instruction.</summary>
    /// <returns>The exit; <see langword="null"/> if there is no element, and the guest goes on behind the instruction.</returns>
    private VmExit? FinishStringOut(in WhvRunVpExitContext context)
    {
        ref readonly WhvX64IoPortAccessContext io = ref context.IoPortAccess;
        Span<byte> code = stackalloc byte[OutsInstruction.LargestLength];
        code = code[..context.VpContext.InstructionLength];
        if (io.AccessSize is not (1 or 2 or 4) || !TryGetCode(in context, code) || !OutsInstruction.TryDecode(code, out OutsInstruction instruction))
        {
            return NotEmulated(in context);
        }

        bool isLong = context.VpContext.IsLongCode;
        ulong addressMask = instruction.AddressMask(isLong);
        if (io.RepPrefix && (io.Rcx & addressMask) == 0)
        {
            SkipInstruction(in context);
            return null;
        }

        Span<byte> element = stackalloc byte[sizeof(uint)];
        element.Clear();
        ulong address = BaseOf(instruction.SegmentPrefix, isLong, in io) + (io.Rsi & addressMask);
        if (!TryReadVirtual(isLong ? address : (uint)address, element[..io.AccessSize]))
        {
            return NotEmulated(in context);
        }

        MoveOn(in context, addressMask);
        return VmExit.IoOut(io.PortNumber, BinaryPrimitives.ReadUInt32LittleEndian(element), io.AccessSize);
    }

    private void MoveOn(in WhvRunVpExitContext context, ulong addressMask)
    {
        ref readonly WhvX64IoPortAccessContext io = ref context.IoPortAccess;
        (_rsi, _rcx) = OutsInstruction.Advance(
            io.Rsi, io.Rcx, context.VpContext.Rflags, (byte)io.AccessSize, io.RepPrefix, addressMask);
        _waiting |= Waiting.RsiAndRcx;
        if (!io.RepPrefix || _rcx == 0)
        {
            SkipInstruction(in context);
        }
    }

    private static VmExit NotEmulated(in WhvRunVpExitContext context)
    {
        ReadOnlySpan<byte> bytes = context.IoPortAccess.InstructionBytes;
        return VmExit.EmulationFailure(
            context.VpContext.Rip, bytes[..Math.Min(context.IoPortAccess.InstructionByteCount, bytes.Length)], context.ExitReason);
    }

    /// <summary>The instruction, which the platform may not have put into the exit.</summary>
    private bool TryGetCode(in WhvRunVpExitContext context, Span<byte> code)
    {
        ReadOnlySpan<byte> bytes = context.IoPortAccess.InstructionBytes;
        if (context.IoPortAccess.InstructionByteCount >= code.Length)
        {
            bytes[..code.Length].CopyTo(code);
            return !code.IsEmpty;
        }

        ulong address = context.VpContext.IsLongCode
            ? context.VpContext.Rip
            : (uint)(context.VpContext.Cs.Base + context.VpContext.Rip);
        return !code.IsEmpty && TryReadVirtual(address, code);
    }

    /// <summary>In 64-bit code FS and GS alone have a base.</summary>
    private ulong BaseOf(byte segment, bool isLong, in WhvX64IoPortAccessContext io)
    {
        if (segment == 0)
        {
            return isLong ? 0 : io.Ds.Base;
        }

        Begin();
        Add(segment == OutsInstruction.FsPrefix ? WhvRegisterNames.WHvX64RegisterFs : WhvRegisterNames.WHvX64RegisterGs);
        Get();
        return Values[0].Segment.Base;
    }

    /// <summary>Reads memory by the guest's page tables; a few bytes, which may lie in two pages.</summary>
    private bool TryReadVirtual(ulong address, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int inPage = Math.Min(destination.Length, GuestPage.Size - (int)(address % GuestPage.Size));

            // SAFETY: locals of the function's types.
            WhvTranslateGvaResult translation;
            ulong physical;
            WhpError.Check(
                _partition.WinHv.TranslateGva(
                    _partition.Value,
                    WhpPartition.Vp,
                    address,
                    WhvTranslateGvaFlags.WHvTranslateGvaFlagValidateRead,
                    &translation,
                    &physical),
                nameof(WinHvPlatform.WHvTranslateGva));
            if (translation.ResultCode != WhvTranslateGvaResult.WHvTranslateGvaResultSuccess
                || !_partition.TryRead(physical, destination[..inPage]))
            {
                return false;
            }

            address += (ulong)inPage;
            destination = destination[inPage..];
        }

        return true;
    }
}

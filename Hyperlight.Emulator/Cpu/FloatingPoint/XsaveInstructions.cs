using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.GeneralRegister;
using static Hyperlight.Emulator.Cpu.XsaveComponents;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The XSAVE family, for the components that this processor has: x87 and SSE.</summary>
internal sealed unsafe class XsaveInstructions(
    ProcessorState* state,
    RegisterFile registers,
    XmmFile xmm,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    X87Registers x87,
    FloatingPointImage areas)
{
    private const int XsaveHeaderSize = 64;

    /// <summary>Set in the second word of the header if the components follow each other without gaps.</summary>
    private const ulong Compacted = 1UL << 63;

    /// <summary>The components that are not as they are after a reset.</summary>
    private ulong ComponentsInUse => (IsX87Initial ? 0 : X87Component) | (xmm.Bytes.ContainsAnyExcept((byte)0) ? SseComponent : 0);

    private bool IsX87Initial =>
        state->X87.Control == FpuRegisters.ControlWordReset && state->X87.Status == 0 && state->X87.Used == 0 && state->X87.Opcode == 0
        && state->X87.Instruction == 0 && state->X87.Operand == 0 && state->X87.Registers.IsClear;

    private ulong RequestedComponents => operands.ReadWide() & state->Control.Xcr0;

    public bool Save(ref MicroOp op)
    {
        if (!IsXsaveAllowed(ref op, out ulong address))
        {
            return false;
        }

        ulong requested = RequestedComponents;
        ulong inUse = ComponentsInUse;
        if (op.Op == Op.Xsavec && state->Mxcsr != FpuRegisters.MxcsrReset)
        {
            inUse |= SseComponent;
        }

        // XSAVE writes what is initial as well; it only says that it is.
        ulong written = op.Op == Op.Xsave ? requested : requested & inUse;
        bool hasMxcsr = ((op.Op == Op.Xsavec ? written : requested) & SseComponent) != 0;
        if (!memory.Load(address + FloatingPointImage.FxsaveSize, 8, out ulong components)
            || !memory.PrepareStore(address, FloatingPointImage.FxsaveSize + XsaveHeaderSize))
        {
            return false;
        }

        components = op.Op == Op.Xsavec ? requested & inUse : (components & ~requested) | (requested & inUse);
        return StoreComponents(ref op, address, written, hasMxcsr)
            && memory.Store(address + FloatingPointImage.FxsaveSize, 8, components)
            && (op.Op != Op.Xsavec || memory.Store(address + FloatingPointImage.FxsaveSize + 8, 8, requested | Compacted));
    }

    private bool StoreComponents(ref MicroOp op, ulong address, ulong components, bool hasMxcsr)
    {
        Span<byte> image = stackalloc byte[FloatingPointImage.FxsaveEnd];
        areas.WriteX87Area(image, FxsaveInstructions.IsWideSave(ref op));
        areas.WriteSseArea(image);
        bool hasX87 = (components & X87Component) != 0;
        bool hasXmm = (components & SseComponent) != 0;
        return (!hasX87 || memory.StoreBytes(address, image[..FloatingPointImage.MxcsrOffset]))
            && (!hasMxcsr || memory.StoreBytes(address + FloatingPointImage.MxcsrOffset, image[FloatingPointImage.MxcsrOffset..FloatingPointImage.StOffset]))
            && (!hasX87 || memory.StoreBytes(address + FloatingPointImage.StOffset, image[FloatingPointImage.StOffset..FloatingPointImage.XmmOffset]))
            && (!hasXmm || memory.StoreBytes(address + FloatingPointImage.XmmOffset, image[FloatingPointImage.XmmOffset..]));
    }

    public bool Restore(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[FloatingPointImage.FxsaveEnd];
        Span<byte> header = stackalloc byte[XsaveHeaderSize];
        if (!IsXsaveAllowed(ref op, out ulong address) || !memory.LoadBytes(address + FloatingPointImage.FxsaveSize, header))
        {
            return false;
        }

        ulong components = BinaryPrimitives.ReadUInt64LittleEndian(header);
        ulong layout = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        bool isCompacted = (layout & Compacted) != 0;
        if (!IsHeaderValid(header, components, layout))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        ulong requested = RequestedComponents;
        ulong present = requested & components;
        bool restoresMxcsr = ((isCompacted ? present : requested) & SseComponent) != 0;
        if (!memory.LoadBytes(address, image))
        {
            return false;
        }

        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[FloatingPointImage.MxcsrOffset..]);
        if (restoresMxcsr && (mxcsr & ~FloatingPointImage.MxcsrBits) != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        RestoreComponents(image, requested, present, FxsaveInstructions.IsWideSave(ref op));
        if (restoresMxcsr)
        {
            state->Mxcsr = mxcsr;
        }

        return true;
    }

    private void RestoreComponents(ReadOnlySpan<byte> image, ulong requested, ulong present, bool isWide)
    {
        if ((requested & X87Component) != 0)
        {
            areas.InitializeX87Area();
        }

        if ((requested & SseComponent) != 0)
        {
            areas.InitializeSse();
        }

        if ((present & X87Component) != 0)
        {
            areas.ReadX87Area(image, isWide);
            x87.UpdateSummary();
        }

        if ((present & SseComponent) != 0)
        {
            image.Slice(FloatingPointImage.XmmOffset, xmm.Bytes.Length).CopyTo(xmm.Bytes);
        }
    }

    private bool IsHeaderValid(ReadOnlySpan<byte> header, ulong components, ulong layout)
    {
        if ((layout & Compacted) != 0)
        {
            ulong laidOut = layout & ~Compacted;
            return (laidOut & ~state->Control.Xcr0) == 0 && (components & ~laidOut) == 0 && !header[16..].ContainsAnyExcept((byte)0);
        }

        return (components & ~state->Control.Xcr0) == 0 && !header[8..24].ContainsAnyExcept((byte)0);
    }

    private bool IsXsaveAllowed(ref MicroOp op, out ulong address)
    {
        address = operands.Address(ref op);
        return (state->Control.Cr4 & Cr4OsXsave) == 0 ? pending.Fault(InvalidOpcode, 0)
            : (state->Control.Cr0 & Cr0TaskSwitched) != 0 ? pending.Fault(DeviceNotAvailable, 0)
            : (address & 63) == 0 || pending.Fault(GeneralProtection, 0);
    }

    public bool GetControl()
    {
        if ((state->Control.Cr4 & Cr4OsXsave) == 0)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        switch ((uint)registers[Rcx])
        {
            case 0:
                operands.WriteWide(state->Control.Xcr0);
                return true;
            case 1:
                operands.WriteWide(state->Control.Xcr0 & ComponentsInUse);
                return true;
            default:
                return pending.Fault(GeneralProtection, 0);
        }
    }

    public bool SetControl()
    {
        if ((state->Control.Cr4 & Cr4OsXsave) == 0)
        {
            return pending.Fault(InvalidOpcode, 0);
        }

        ulong value = operands.ReadWide();
        return (state->Segments.Cpl == 0 && (uint)registers[Rcx] == 0 && TrySet(ref state->Control.Xcr0, value)) || pending.Fault(GeneralProtection, 0);
    }
}

using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The XSAVE family, for the components that this processor has: x87 and SSE.</summary>
internal sealed partial class Processor
{
    public const ulong SupportedComponents = X87Component | SseComponent;

    private const ulong X87Component = 1;
    private const ulong SseComponent = 2;
    private const ulong Cr4OsXsave = 1 << 18;
    private const int XsaveHeaderSize = 64;

    /// <summary>Set in the second word of the header if the components follow each other without gaps.</summary>
    private const ulong Compacted = 1UL << 63;

    /// <summary>XCR0: the components that are enabled.</summary>
    private ulong _xcr0 = X87Component;

    /// <summary>XCR0: the components that the guest has enabled.</summary>
    public ulong Xcr0 => _xcr0;

    /// <summary>The components that are not as they are after a reset.</summary>
    private ulong ComponentsInUse => (IsX87Initial ? 0 : X87Component) | (XmmBytes.ContainsAnyExcept((byte)0) ? SseComponent : 0);

    private bool IsX87Initial =>
        _x87Control == FpuRegisters.ControlWordReset && _x87Status == 0 && _x87Used == 0 && _x87Opcode == 0
        && _x87Instruction == 0 && _x87Operand == 0 && _x87.IsClear;

    private ulong RequestedComponents => ((uint)_regs[Rax] | (_regs[Rdx] << 32)) & _xcr0;

    private bool ExecuteXsave(ref MicroOp op)
    {
        if (!IsXsaveAllowed(ref op, out ulong address))
        {
            return false;
        }

        ulong requested = RequestedComponents;
        ulong inUse = ComponentsInUse;
        if (op.Op == Op.Xsavec && _mxcsr != FpuRegisters.MxcsrReset)
        {
            inUse |= SseComponent;
        }

        // XSAVE writes what is initial as well; it only says that it is.
        ulong written = op.Op == Op.Xsave ? requested : requested & inUse;
        bool hasMxcsr = ((op.Op == Op.Xsavec ? written : requested) & SseComponent) != 0;
        if (!Load(address + FxsaveSize, 8, out ulong components)
            || !PrepareStore(address, FxsaveSize + XsaveHeaderSize))
        {
            return false;
        }

        components = op.Op == Op.Xsavec ? requested & inUse : (components & ~requested) | (requested & inUse);
        return StoreComponents(ref op, address, written, hasMxcsr)
            && Store(address + FxsaveSize, 8, components)
            && (op.Op != Op.Xsavec || Store(address + FxsaveSize + 8, 8, requested | Compacted));
    }

    private bool StoreComponents(ref MicroOp op, ulong address, ulong components, bool hasMxcsr)
    {
        Span<byte> image = stackalloc byte[FxsaveEnd];
        WriteX87Area(image, IsWideSave(ref op));
        WriteSseArea(image);
        bool hasX87 = (components & X87Component) != 0;
        bool hasXmm = (components & SseComponent) != 0;
        return (!hasX87 || StoreBytes(address, image[..MxcsrOffset]))
            && (!hasMxcsr || StoreBytes(address + MxcsrOffset, image[MxcsrOffset..StOffset]))
            && (!hasX87 || StoreBytes(address + StOffset, image[StOffset..XmmOffset]))
            && (!hasXmm || StoreBytes(address + XmmOffset, image[XmmOffset..]));
    }

    private bool ExecuteXrstor(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[FxsaveEnd];
        Span<byte> header = stackalloc byte[XsaveHeaderSize];
        if (!IsXsaveAllowed(ref op, out ulong address) || !LoadBytes(address + FxsaveSize, header))
        {
            return false;
        }

        ulong components = BinaryPrimitives.ReadUInt64LittleEndian(header);
        ulong layout = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        bool isCompacted = (layout & Compacted) != 0;
        if (!IsHeaderValid(header, components, layout))
        {
            return Fault(GeneralProtection, 0);
        }

        ulong requested = RequestedComponents;
        ulong present = requested & components;
        bool restoresMxcsr = ((isCompacted ? present : requested) & SseComponent) != 0;
        if (!LoadBytes(address, image))
        {
            return false;
        }

        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if (restoresMxcsr && (mxcsr & ~MxcsrBits) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        RestoreComponents(image, requested, present, IsWideSave(ref op));
        if (restoresMxcsr)
        {
            _mxcsr = mxcsr;
        }

        return true;
    }

    private void RestoreComponents(ReadOnlySpan<byte> image, ulong requested, ulong present, bool isWide)
    {
        if ((requested & X87Component) != 0)
        {
            InitializeX87Area();
        }

        if ((requested & SseComponent) != 0)
        {
            InitializeSse();
        }

        if ((present & X87Component) != 0)
        {
            ReadX87Area(image, isWide);
            UpdateX87Summary();
        }

        if ((present & SseComponent) != 0)
        {
            image.Slice(XmmOffset, XmmBytes.Length).CopyTo(XmmBytes);
        }
    }

    private bool IsHeaderValid(ReadOnlySpan<byte> header, ulong components, ulong layout)
    {
        if ((layout & Compacted) != 0)
        {
            ulong laidOut = layout & ~Compacted;
            return (laidOut & ~_xcr0) == 0 && (components & ~laidOut) == 0 && !header[16..].ContainsAnyExcept((byte)0);
        }

        return (components & ~_xcr0) == 0 && !header[8..24].ContainsAnyExcept((byte)0);
    }

    private bool IsXsaveAllowed(ref MicroOp op, out ulong address)
    {
        address = Address(ref op);
        return (_cr4 & Cr4OsXsave) == 0 ? Fault(InvalidOpcode, 0)
            : (_cr0 & Cr0TaskSwitched) != 0 ? Fault(DeviceNotAvailable, 0)
            : (address & 63) == 0 || Fault(GeneralProtection, 0);
    }

    private bool ExecuteXgetbv()
    {
        if ((_cr4 & Cr4OsXsave) == 0)
        {
            return Fault(InvalidOpcode, 0);
        }

        switch ((uint)_regs[Rcx])
        {
            case 0:
                WriteWide(_xcr0);
                return true;
            case 1:
                WriteWide(_xcr0 & ComponentsInUse);
                return true;
            default:
                return Fault(GeneralProtection, 0);
        }
    }

    /// <summary>Sets XCR0, unless that is impossible.</summary>
    public bool TrySetXcr0(ulong value)
    {
        if ((value & X87Component) == 0 || (value & ~SupportedComponents) != 0)
        {
            return false;
        }

        _xcr0 = value;
        return true;
    }

    private bool ExecuteXsetbv()
    {
        if ((_cr4 & Cr4OsXsave) == 0)
        {
            return Fault(InvalidOpcode, 0);
        }

        ulong value = (uint)_regs[Rax] | (_regs[Rdx] << 32);
        return (_cpl == 0 && (uint)_regs[Rcx] == 0 && TrySetXcr0(value)) || Fault(GeneralProtection, 0);
    }
}

using System.Buffers.Binary;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>FXSAVE and FXRSTOR.</summary>
internal sealed partial class Processor
{
    private bool ExecuteFxsave(ref MicroOp op)
    {
        if (!IsFxsaveAllowed(ref op, out ulong address))
        {
            return false;
        }

        Span<byte> image = stackalloc byte[FxsaveEnd];
        WriteX87Area(image, IsWideSave(ref op));
        WriteSseArea(image);
        return StoreBytes(address, image);
    }

    private bool ExecuteFxrstor(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[FxsaveEnd];
        if (!IsFxsaveAllowed(ref op, out ulong address) || !LoadBytes(address, image))
        {
            return false;
        }

        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if ((mxcsr & ~MxcsrBits) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        ReadX87Area(image, IsWideSave(ref op));
        UpdateX87Summary();
        _mxcsr = mxcsr;
        image.Slice(XmmOffset, XmmBytes.Length).CopyTo(XmmBytes);
        return true;
    }

    /// <summary>With REX.W, the addresses of the last instruction and operand have 64 bits.</summary>
    private static bool IsWideSave(ref MicroOp op) => op.Function != 0;

    private bool IsFxsaveAllowed(ref MicroOp op, out ulong address)
    {
        address = Address(ref op);
        return (_cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0 ? Fault(DeviceNotAvailable, 0)
            : (address & 15) == 0 || Fault(GeneralProtection, 0);
    }
}

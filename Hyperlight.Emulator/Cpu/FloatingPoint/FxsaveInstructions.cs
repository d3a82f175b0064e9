using System.Buffers.Binary;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>FXSAVE and FXRSTOR.</summary>
internal sealed unsafe class FxsaveInstructions(
    ProcessorState* state,
    XmmFile xmm,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    X87Registers x87,
    FloatingPointImage areas)
{
    public bool Save(ref MicroOp op)
    {
        if (!IsFxsaveAllowed(ref op, out ulong address))
        {
            return false;
        }

        Span<byte> image = stackalloc byte[FloatingPointImage.FxsaveEnd];
        areas.WriteX87Area(image, IsWideSave(ref op));
        areas.WriteSseArea(image);
        return memory.StoreBytes(address, image);
    }

    public bool Restore(ref MicroOp op)
    {
        Span<byte> image = stackalloc byte[FloatingPointImage.FxsaveEnd];
        if (!IsFxsaveAllowed(ref op, out ulong address) || !memory.LoadBytes(address, image))
        {
            return false;
        }

        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[FloatingPointImage.MxcsrOffset..]);
        if ((mxcsr & ~FloatingPointImage.MxcsrBits) != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        areas.ReadX87Area(image, IsWideSave(ref op));
        x87.UpdateSummary();
        state->Mxcsr = mxcsr;
        image.Slice(FloatingPointImage.XmmOffset, xmm.Bytes.Length).CopyTo(xmm.Bytes);
        return true;
    }

    /// <summary>With REX.W, the addresses of the last instruction and operand have 64 bits.</summary>
    public static bool IsWideSave(ref MicroOp op) => op.Function != 0;

    private bool IsFxsaveAllowed(ref MicroOp op, out ulong address)
    {
        address = operands.Address(ref op);
        return (state->Control.Cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0 ? pending.Fault(DeviceNotAvailable, 0)
            : (address & 15) == 0 || pending.Fault(GeneralProtection, 0);
    }
}

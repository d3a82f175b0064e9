using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>An instruction on XMM registers: chooses its handler.</summary>
internal sealed unsafe class VectorInstructions(
    ProcessorState* state,
    XmmFile xmm,
    PendingEvent pending,
    VectorOperands vectors,
    FloatInstructions floats,
    VectorConversions vectorConversions,
    VectorMoves vectorMoves,
    VectorShifts vectorShifts,
    VectorTests vectorTests)
{
    public bool Execute(ref MicroOp op)
    {
        if (((state->Control.Cr0 & (Cr0Emulation | Cr0TaskSwitched)) | (~state->Control.Cr4 & Cr4FxsaveRestore)) != 0)
        {
            return FaultWithoutVectors();
        }

        switch (op.Vector)
        {
            case <= VectorOp.StoreMxcsr: return vectorMoves.Execute(ref op);
            case <= VectorOp.ReciprocalSquareRoot: return floats.Execute(ref op);
            case <= VectorOp.Cvtsd2ss: return vectorConversions.Execute(ref op);
            case >= VectorOp.Psllw and <= VectorOp.Psrldq: return vectorShifts.Execute(ref op);
            case >= VectorOp.Ptest: return vectorTests.Execute(ref op);
        }

        if (!vectors.Read(ref op, out Vector128<byte> source))
        {
            return false;
        }

        ref Vector128<byte> destination = ref xmm[op.DestinationRegister];
        destination = op.Vector switch
        {
            VectorOp.Pand => destination & source,
            VectorOp.Pandn => ~destination & source,
            VectorOp.Por => destination | source,
            VectorOp.Pxor => destination ^ source,
            <= VectorOp.Pcmpgtq => PackedIntegers.Compute(op.Vector, destination, source),
            <= VectorOp.Phsubsw => PackedProducts.Compute(op.Vector, destination, source, (byte)op.Immediate),
            _ => PackedShuffles.Compute(op.Vector, destination, source, xmm[0], (byte)op.Immediate),
        };
        return true;
    }

    /// <summary>The system has not, or not yet, prepared for SSE.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool FaultWithoutVectors() =>
        pending.Fault((state->Control.Cr0 & Cr0Emulation) != 0 || (state->Control.Cr4 & Cr4FxsaveRestore) == 0 ? InvalidOpcode : DeviceNotAvailable, 0);
}

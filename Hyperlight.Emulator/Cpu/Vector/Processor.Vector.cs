using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>An instruction on XMM registers: chooses its handler.</summary>
internal sealed partial class Processor
{
    private const ulong Cr0Emulation = 1 << 2;
    private const ulong Cr0TaskSwitched = 1 << 3;
    private const ulong Cr4FxsaveRestore = 1 << 9;

    private bool ExecuteVector(ref MicroOp op)
    {
        if (((_cr0 & (Cr0Emulation | Cr0TaskSwitched)) | (~_cr4 & Cr4FxsaveRestore)) != 0)
        {
            return FaultWithoutVectors();
        }

        switch (op.Vector)
        {
            case <= VectorOp.StoreMxcsr: return ExecuteVectorMove(ref op);
            case <= VectorOp.ReciprocalSquareRoot: return ExecuteFloat(ref op);
            case <= VectorOp.Cvtsd2ss: return ExecuteConversion(ref op);
            case >= VectorOp.Psllw and <= VectorOp.Psrldq: return ExecuteVectorShift(ref op);
            case >= VectorOp.Ptest: return ExecuteVectorTest(ref op);
        }

        if (!ReadVector(ref op, out Vector128<byte> source))
        {
            return false;
        }

        ref Vector128<byte> destination = ref _xmm[op.DestinationRegister];
        destination = op.Vector switch
        {
            VectorOp.Pand => destination & source,
            VectorOp.Pandn => ~destination & source,
            VectorOp.Por => destination | source,
            VectorOp.Pxor => destination ^ source,
            <= VectorOp.Pcmpgtq => PackedIntegers.Compute(op.Vector, destination, source),
            <= VectorOp.Phsubsw => PackedProducts.Compute(op.Vector, destination, source, (byte)op.Immediate),
            _ => PackedShuffles.Compute(op.Vector, destination, source, _xmm[0], (byte)op.Immediate),
        };
        return true;
    }

    /// <summary>The system has not, or not yet, prepared for SSE.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool FaultWithoutVectors() =>
        Fault((_cr0 & Cr0Emulation) != 0 || (_cr4 & Cr4FxsaveRestore) == 0 ? InvalidOpcode : DeviceNotAvailable, 0);
}

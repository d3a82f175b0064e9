using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>MXCSR: takes over what an operation raised, or faults.</summary>
internal sealed unsafe class FloatStatus(ProcessorState* state, XmmFile xmm, PendingEvent pending)
{
    /// <summary>RC is nearest, PM is set, and so is PE: the host's results are right and cannot tell anything new.</summary>
    public bool UsesHostVectors => (state->Mxcsr & 0x7020) == 0x1020;

    /// <summary>Remembers exceptions; false if one of them is delivered instead of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Accept(FloatExceptions raised)
    {
        if (((uint)raised & ~(state->Mxcsr >> 7)) == 0)
        {
            state->Mxcsr |= (uint)raised;
            return true;
        }

        return Fault(raised);
    }

    public bool AcceptVector(ref MicroOp op, FloatExceptions raised, Vector128<byte> result)
    {
        if (!Accept(raised))
        {
            return false;
        }

        xmm[op.DestinationRegister] = result;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Fault(FloatExceptions raised)
    {
        // If the operands cause one that has a handler, nothing is computed, and so nothing is found out about the results.
        uint unmasked = (uint)raised & ~(state->Mxcsr >> 7);
        if ((unmasked & (uint)FloatExceptions.BeforeComputation) != 0)
        {
            raised &= FloatExceptions.BeforeComputation;
        }

        state->Mxcsr |= (uint)raised;
        return pending.Fault((state->Control.Cr4 & Cr4SimdExceptions) != 0 ? SimdFault : InvalidOpcode, 0);
    }
}

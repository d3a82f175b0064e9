using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Arithmetic of floating-point numbers in XMM registers.</summary>
internal sealed partial class Processor
{
    private const ulong Cr4SimdExceptions = 1 << 10;

    /// <summary>RC is nearest, PM is set, and so is PE: the host's results are right and cannot tell anything new.</summary>
    private bool UsesHostVectors => (_mxcsr & 0x7020) == 0x1020;

    private bool ExecuteFloat(ref MicroOp op) => op.Vector switch
    {
        VectorOp.Compare => ExecuteFloatCompare(ref op),
        VectorOp.OrderedCompare or VectorOp.UnorderedCompare => ExecuteFloatCompareToFlags(ref op),
        VectorOp.AddSubtract or VectorOp.HorizontalAdd or VectorOp.HorizontalSubtract => ExecuteFloatPairs(ref op),
        VectorOp.DotProduct => ExecuteDotProduct(ref op),
        VectorOp.Reciprocal or VectorOp.ReciprocalSquareRoot => ExecuteReciprocal(ref op),
        _ => op.Form is VectorForm.ScalarSingle or VectorForm.ScalarDouble
            ? ExecuteScalarFloat(ref op)
            : ExecutePackedFloat(ref op),
    };

    private bool ExecuteScalarFloat(ref MicroOp op)
    {
        bool isDouble = op.Form == VectorForm.ScalarDouble;
        int size = isDouble ? 8 : 4;
        if (!ReadElement(ref op, size, out ulong b))
        {
            return false;
        }

        ulong a = GetElement(_xmm[op.DestinationRegister], isDouble, 0);
        var environment = new FloatEnvironment(_mxcsr);
        ulong result = ComputeElement(ref op, isDouble, a, b, ref environment);
        if (!Accept(environment.Raised))
        {
            return false;
        }

        WriteElement(op.DestinationRegister, size, result);
        return true;
    }

    private bool ExecutePackedFloat(ref MicroOp op)
    {
        if (!ReadVector(ref op, out Vector128<byte> b))
        {
            return false;
        }

        bool isDouble = op.Form == VectorForm.PackedDouble;
        Vector128<byte> a = _xmm[op.DestinationRegister];
        if (HostVector.TryCompute(op.Vector, isDouble, UsesHostVectors, a, b, out Vector128<byte> computed))
        {
            _xmm[op.DestinationRegister] = computed;
            return true;
        }

        var environment = new FloatEnvironment(_mxcsr);
        Vector128<byte> result = default;
        for (int i = 0; i < (isDouble ? 2 : 4); i++)
        {
            ulong element = ComputeElement(
                ref op, isDouble, GetElement(a, isDouble, i), GetElement(b, isDouble, i), ref environment);
            result = WithElement(result, isDouble, i, element);
        }

        return AcceptVector(ref op, environment.Raised, result);
    }

    private static ulong ComputeElement(
        ref MicroOp op, bool isDouble, ulong a, ulong b, ref FloatEnvironment environment) => op.Vector switch
        {
            VectorOp.Minimum => FloatLane.Choose(isMaximum: false, isDouble, a, b, ref environment),
            VectorOp.Maximum => FloatLane.Choose(isMaximum: true, isDouble, a, b, ref environment),
            VectorOp.Round => FloatLane.Round(isDouble, b, (int)op.Immediate, ref environment),
            _ => FloatLane.Compute(op.Vector, isDouble, a, b, ref environment),
        };

    /// <summary>Remembers exceptions; false if one of them is delivered instead of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Accept(FloatExceptions raised)
    {
        if (((uint)raised & ~(_mxcsr >> 7)) == 0)
        {
            _mxcsr |= (uint)raised;
            return true;
        }

        return FaultWithFloatException(raised);
    }

    private bool AcceptVector(ref MicroOp op, FloatExceptions raised, Vector128<byte> result)
    {
        if (!Accept(raised))
        {
            return false;
        }

        _xmm[op.DestinationRegister] = result;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool FaultWithFloatException(FloatExceptions raised)
    {
        // If the operands cause one that has a handler, nothing is computed, and so nothing is found out about the results.
        uint unmasked = (uint)raised & ~(_mxcsr >> 7);
        if ((unmasked & (uint)FloatExceptions.BeforeComputation) != 0)
        {
            raised &= FloatExceptions.BeforeComputation;
        }

        _mxcsr |= (uint)raised;
        return Fault((_cr4 & Cr4SimdExceptions) != 0 ? SimdFault : InvalidOpcode, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong GetElement(Vector128<byte> vector, bool isDouble, int index) =>
        isDouble ? vector.AsUInt64()[index] : vector.AsUInt32()[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WithElement(Vector128<byte> vector, bool isDouble, int index, ulong value) => isDouble
        ? vector.AsUInt64().WithElement(index, value).AsByte()
        : vector.AsUInt32().WithElement(index, (uint)value).AsByte();
}

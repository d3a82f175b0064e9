using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Arithmetic of floating-point numbers in XMM registers.</summary>
internal sealed unsafe class FloatInstructions(
    ProcessorState* state,
    XmmFile xmm,
    VectorOperands vectors,
    FloatStatus floatStatus,
    FloatCompares floatCompares,
    FloatCombinations floatCombinations)
{
    public bool Execute(ref MicroOp op) => op.Vector switch
    {
        VectorOp.Compare => floatCompares.Compare(ref op),
        VectorOp.OrderedCompare or VectorOp.UnorderedCompare => floatCompares.CompareToFlags(ref op),
        VectorOp.AddSubtract or VectorOp.HorizontalAdd or VectorOp.HorizontalSubtract => floatCombinations.CombinePairs(ref op),
        VectorOp.DotProduct => floatCombinations.MultiplyDot(ref op),
        VectorOp.Reciprocal or VectorOp.ReciprocalSquareRoot => floatCombinations.Approximate(ref op),
        _ => op.Form is VectorForm.ScalarSingle or VectorForm.ScalarDouble
            ? ExecuteScalarFloat(ref op)
            : ExecutePackedFloat(ref op),
    };

    private bool ExecuteScalarFloat(ref MicroOp op)
    {
        bool isDouble = op.Form == VectorForm.ScalarDouble;
        int size = isDouble ? 8 : 4;
        if (!vectors.ReadElement(ref op, size, out ulong b))
        {
            return false;
        }

        ulong a = FloatElements.GetElement(xmm[op.DestinationRegister], isDouble, 0);
        var environment = new FloatEnvironment(state->Mxcsr);
        ulong result = ComputeElement(ref op, isDouble, a, b, ref environment);
        if (!floatStatus.Accept(environment.Raised))
        {
            return false;
        }

        vectors.WriteElement(op.DestinationRegister, size, result);
        return true;
    }

    private bool ExecutePackedFloat(ref MicroOp op)
    {
        if (!vectors.Read(ref op, out Vector128<byte> b))
        {
            return false;
        }

        bool isDouble = op.Form == VectorForm.PackedDouble;
        Vector128<byte> a = xmm[op.DestinationRegister];
        if (HostVector.TryCompute(op.Vector, isDouble, floatStatus.UsesHostVectors, a, b, out Vector128<byte> computed))
        {
            xmm[op.DestinationRegister] = computed;
            return true;
        }

        var environment = new FloatEnvironment(state->Mxcsr);
        Vector128<byte> result = default;
        for (int i = 0; i < (isDouble ? 2 : 4); i++)
        {
            ulong element = ComputeElement(
                ref op, isDouble, FloatElements.GetElement(a, isDouble, i), FloatElements.GetElement(b, isDouble, i), ref environment);
            result = FloatElements.WithElement(result, isDouble, i, element);
        }

        return floatStatus.AcceptVector(ref op, environment.Raised, result);
    }

    private static ulong ComputeElement(
        ref MicroOp op, bool isDouble, ulong a, ulong b, ref FloatEnvironment environment) => op.Vector switch
        {
            VectorOp.Minimum => FloatLane.Choose(isMaximum: false, isDouble, a, b, ref environment),
            VectorOp.Maximum => FloatLane.Choose(isMaximum: true, isDouble, a, b, ref environment),
            VectorOp.Round => FloatLane.Round(isDouble, b, (int)op.Immediate, ref environment),
            _ => FloatLane.Compute(op.Vector, isDouble, a, b, ref environment),
        };
}

using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Floating-point instructions that combine elements, and the approximations.</summary>
internal sealed unsafe class FloatCombinations(ProcessorState* state, XmmFile xmm, VectorOperands vectors, FloatStatus floatStatus)
{
    /// <summary>ADDSUBPS, HADDPS, HSUBPS and their kin.</summary>
    public bool CombinePairs(ref MicroOp op)
    {
        if (!vectors.Read(ref op, out Vector128<byte> b))
        {
            return false;
        }

        bool isDouble = op.Form == VectorForm.PackedDouble;
        int count = isDouble ? 2 : 4;
        Vector128<byte> a = xmm[op.DestinationRegister];
        Vector128<byte> result = default;
        var environment = new FloatEnvironment(state->Mxcsr);
        for (int i = 0; i < count; i++)
        {
            ulong left;
            ulong right;
            VectorOp operation;
            if (op.Vector == VectorOp.AddSubtract)
            {
                (left, right) = (FloatElements.GetElement(a, isDouble, i), FloatElements.GetElement(b, isDouble, i));
                operation = (i & 1) == 0 ? VectorOp.Subtract : VectorOp.Add;
            }
            else
            {
                // The lower half of the result is of the destination's pairs, the upper one of the source's.
                Vector128<byte> pairs = i < count / 2 ? a : b;
                int first = 2 * i % count;
                (left, right) = (FloatElements.GetElement(pairs, isDouble, first), FloatElements.GetElement(pairs, isDouble, first + 1));
                operation = op.Vector == VectorOp.HorizontalAdd ? VectorOp.Add : VectorOp.Subtract;
            }

            result = FloatElements.WithElement(
                result, isDouble, i, FloatLane.Compute(operation, isDouble, left, right, ref environment));
        }

        return floatStatus.AcceptVector(ref op, environment.Raised, result);
    }

    /// <summary>DPPS and DPPD: the upper half of the immediate chooses the products, the lower one where the sum goes.</summary>
    public bool MultiplyDot(ref MicroOp op)
    {
        if (!vectors.Read(ref op, out Vector128<byte> b))
        {
            return false;
        }

        bool isDouble = op.Form == VectorForm.PackedDouble;
        int count = isDouble ? 2 : 4;
        Vector128<byte> a = xmm[op.DestinationRegister];
        var environment = new FloatEnvironment(state->Mxcsr);
        Span<ulong> products = stackalloc ulong[4];
        products.Clear();
        for (int i = 0; i < count; i++)
        {
            if ((op.Immediate >> (4 + i) & 1) != 0)
            {
                products[i] = FloatLane.Compute(
                    VectorOp.Multiply, isDouble, FloatElements.GetElement(a, isDouble, i), FloatElements.GetElement(b, isDouble, i), ref environment);
            }
        }

        // Exceptions are those of each step on its own: one that has a handler ends the instruction before the next step.
        // The products are added in pairs, and then the sums of these.
        if (!AcceptStep(ref environment))
        {
            return false;
        }

        ulong sum = FloatLane.Compute(VectorOp.Add, isDouble, products[0], products[1], ref environment);
        if (!isDouble)
        {
            ulong upper = FloatLane.Compute(VectorOp.Add, isDouble, products[2], products[3], ref environment);
            if (!AcceptStep(ref environment))
            {
                return false;
            }

            sum = FloatLane.Compute(VectorOp.Add, isDouble, sum, upper, ref environment);
        }

        Vector128<byte> result = default;
        for (int i = 0; i < count; i++)
        {
            result = FloatElements.WithElement(result, isDouble, i, (op.Immediate >> i & 1) != 0 ? sum : 0);
        }

        return floatStatus.AcceptVector(ref op, environment.Raised, result);
    }

    private bool AcceptStep(ref FloatEnvironment environment)
    {
        FloatExceptions raised = environment.Raised;
        environment.Raised = FloatExceptions.None;
        return floatStatus.Accept(raised);
    }

    public bool Approximate(ref MicroOp op)
    {
        bool isScalar = op.Form == VectorForm.ScalarSingle;
        Vector128<byte> source;
        if (isScalar)
        {
            if (!vectors.ReadElement(ref op, 4, out ulong element))
            {
                return false;
            }

            source = Vector128.CreateScalar(element).AsByte();
        }
        else if (!vectors.Read(ref op, out source))
        {
            return false;
        }

        Vector128<uint> result = xmm[op.DestinationRegister].AsUInt32();
        for (int i = 0; i < (isScalar ? 1 : 4); i++)
        {
            uint value = source.AsUInt32()[i];
            result = result.WithElement(
                i,
                op.Vector == VectorOp.Reciprocal
                    ? ApproximateFloat.Reciprocal(value)
                    : ApproximateFloat.ReciprocalSquareRoot(value));
        }

        xmm[op.DestinationRegister] = result.AsByte();
        return true;
    }
}

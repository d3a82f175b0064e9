using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Comparisons of floating-point numbers in XMM registers.</summary>
internal sealed unsafe class FloatCompares(
    ProcessorState* state,
    XmmFile xmm,
    Flags flags,
    VectorOperands vectors,
    FloatStatus floatStatus)
{
    /// <summary>CMPPS and its kin: all bits of an element of the result say whether the predicate holds.</summary>
    public bool Compare(ref MicroOp op)
    {
        bool isDouble = op.Form is VectorForm.PackedDouble or VectorForm.ScalarDouble;
        bool isScalar = op.Form is VectorForm.ScalarSingle or VectorForm.ScalarDouble;
        Vector128<byte> b;
        if (isScalar)
        {
            if (!vectors.ReadElement(ref op, isDouble ? 8 : 4, out ulong element))
            {
                return false;
            }

            b = Vector128.CreateScalar(element).AsByte();
        }
        else if (!vectors.Read(ref op, out b))
        {
            return false;
        }

        FloatFormat format = isDouble ? FloatFormat.Double : FloatFormat.Single;
        Vector128<byte> a = xmm[op.DestinationRegister];
        Vector128<byte> result = a;
        var environment = new FloatEnvironment(state->Mxcsr);
        int count = isScalar ? 1 : isDouble ? 2 : 4;
        for (int i = 0; i < count; i++)
        {
            bool holds = FloatComparison.Holds(
                in format,
                (int)op.Immediate & 7,
                FloatElements.GetElement(a, isDouble, i),
                FloatElements.GetElement(b, isDouble, i),
                ref environment);
            result = FloatElements.WithElement(result, isDouble, i, holds ? ulong.MaxValue : 0);
        }

        return floatStatus.AcceptVector(ref op, environment.Raised, result);
    }

    /// <summary>COMISS, UCOMISS and their kin.</summary>
    public bool CompareToFlags(ref MicroOp op)
    {
        bool isDouble = op.Form == VectorForm.ScalarDouble;
        if (!vectors.ReadElement(ref op, isDouble ? 8 : 4, out ulong b))
        {
            return false;
        }

        FloatFormat format = isDouble ? FloatFormat.Double : FloatFormat.Single;
        var environment = new FloatEnvironment(state->Mxcsr);
        FloatRelation relation = FloatComparison.Relate(
            in format,
            FloatElements.GetElement(xmm[op.DestinationRegister], isDouble, 0),
            b,
            op.Vector == VectorOp.OrderedCompare,
            ref environment);
        if (!floatStatus.Accept(environment.Raised))
        {
            return false;
        }

        flags.WriteArithmetic(relation switch
        {
            FloatRelation.Less => FlagCarry,
            FloatRelation.Equal => FlagZero,
            FloatRelation.Greater => 0,
            _ => FlagZero | FlagParity | FlagCarry,
        });
        return true;
    }
}

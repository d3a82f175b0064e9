using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Comparisons of floating-point numbers in XMM registers.</summary>
internal sealed partial class Processor
{
    /// <summary>CMPPS and its kin: all bits of an element of the result say whether the predicate holds.</summary>
    private bool ExecuteFloatCompare(ref MicroOp op)
    {
        bool isDouble = op.Form is VectorForm.PackedDouble or VectorForm.ScalarDouble;
        bool isScalar = op.Form is VectorForm.ScalarSingle or VectorForm.ScalarDouble;
        Vector128<byte> b;
        if (isScalar)
        {
            if (!ReadElement(ref op, isDouble ? 8 : 4, out ulong element))
            {
                return false;
            }

            b = Vector128.CreateScalar(element).AsByte();
        }
        else if (!ReadVector(ref op, out b))
        {
            return false;
        }

        FloatFormat format = isDouble ? FloatFormat.Double : FloatFormat.Single;
        Vector128<byte> a = _xmm[op.DestinationRegister];
        Vector128<byte> result = a;
        var environment = new FloatEnvironment(_mxcsr);
        int count = isScalar ? 1 : isDouble ? 2 : 4;
        for (int i = 0; i < count; i++)
        {
            bool holds = FloatComparison.Holds(
                in format,
                (int)op.Immediate & 7,
                GetElement(a, isDouble, i),
                GetElement(b, isDouble, i),
                ref environment);
            result = WithElement(result, isDouble, i, holds ? ulong.MaxValue : 0);
        }

        return AcceptVector(ref op, environment.Raised, result);
    }

    /// <summary>COMISS, UCOMISS and their kin.</summary>
    private bool ExecuteFloatCompareToFlags(ref MicroOp op)
    {
        bool isDouble = op.Form == VectorForm.ScalarDouble;
        if (!ReadElement(ref op, isDouble ? 8 : 4, out ulong b))
        {
            return false;
        }

        FloatFormat format = isDouble ? FloatFormat.Double : FloatFormat.Single;
        var environment = new FloatEnvironment(_mxcsr);
        FloatRelation relation = FloatComparison.Relate(
            in format,
            GetElement(_xmm[op.DestinationRegister], isDouble, 0),
            b,
            op.Vector == VectorOp.OrderedCompare,
            ref environment);
        if (!Accept(environment.Raised))
        {
            return false;
        }

        WriteArithmeticFlags(relation switch
        {
            FloatRelation.Less => FlagCarry,
            FloatRelation.Equal => FlagZero,
            FloatRelation.Greater => 0,
            _ => FlagZero | FlagParity | FlagCarry,
        });
        return true;
    }
}

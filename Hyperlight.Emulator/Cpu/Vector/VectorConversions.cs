using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.SseArithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Conversions between integers and floating-point numbers, and between the formats of these.</summary>
internal sealed unsafe class VectorConversions(ProcessorState* state, Operands operands, VectorOperands vectors, FloatStatus floatStatus)
{
    public bool Execute(ref MicroOp op)
    {
        switch (op.Vector)
        {
            case VectorOp.ConvertFromGeneral: return ConvertFromGeneral(ref op);
            case VectorOp.ConvertToGeneral: return ConvertToGeneral(ref op, truncates: false);
            case VectorOp.TruncateToGeneral: return ConvertToGeneral(ref op, truncates: true);
            case VectorOp.Cvtss2sd or VectorOp.Cvtsd2ss: return ConvertScalar(ref op);
        }

        if (!vectors.Read(ref op, out Vector128<byte> source))
        {
            return false;
        }

        bool takesDoubles = op.Vector is VectorOp.Cvtpd2dq or VectorOp.Cvttpd2dq or VectorOp.Cvtpd2ps;
        bool givesDoubles = op.Vector is VectorOp.Cvtdq2pd or VectorOp.Cvtps2pd;
        var environment = new FloatEnvironment(state->Mxcsr);

        // Where doubles become something smaller, the upper half is cleared.
        Vector128<byte> result = default;
        for (int i = 0; i < (takesDoubles || givesDoubles ? 2 : 4); i++)
        {
            ulong element = FloatElements.GetElement(source, takesDoubles, i);
            element = op.Vector switch
            {
                VectorOp.Cvtdq2ps or VectorOp.Cvtdq2pd =>
                    ConversionLane.FromInteger(givesDoubles, (int)element, ref environment),
                VectorOp.Cvtps2dq or VectorOp.Cvtpd2dq =>
                    (ulong)ConversionLane.ToInteger(takesDoubles, element, 32, truncates: false, ref environment),
                VectorOp.Cvttps2dq or VectorOp.Cvttpd2dq =>
                    (ulong)ConversionLane.ToInteger(takesDoubles, element, 32, truncates: true, ref environment),
                VectorOp.Cvtps2pd => ConversionLane.Widen(element, ref environment),
                _ => ConversionLane.Narrow(element, ref environment),
            };
            result = FloatElements.WithElement(result, givesDoubles, i, element);
        }

        return floatStatus.AcceptVector(ref op, environment.Raised, result);
    }

    private bool ConvertFromGeneral(ref MicroOp op)
    {
        if (!operands.ReadSource(ref op, op.SourceSize, out ulong value))
        {
            return false;
        }

        bool isDouble = op.Form == VectorForm.ScalarDouble;
        var environment = new FloatEnvironment(state->Mxcsr);
        ulong result = ConversionLane.FromInteger(isDouble, (long)SizedInteger.SignExtend(value, op.SourceSize), ref environment);
        if (!floatStatus.Accept(environment.Raised))
        {
            return false;
        }

        vectors.WriteElement(op.DestinationRegister, isDouble ? 8 : 4, result);
        return true;
    }

    private bool ConvertToGeneral(ref MicroOp op, bool truncates)
    {
        bool isDouble = op.Form == VectorForm.ScalarDouble;
        if (!vectors.ReadElement(ref op, isDouble ? 8 : 4, out ulong value))
        {
            return false;
        }

        var environment = new FloatEnvironment(state->Mxcsr);
        long result = ConversionLane.ToInteger(isDouble, value, 8 * op.Size, truncates, ref environment);
        if (!floatStatus.Accept(environment.Raised))
        {
            return false;
        }

        operands.WriteRegister(op.DestinationRegister, op.Size, (ulong)result);
        return true;
    }

    private bool ConvertScalar(ref MicroOp op)
    {
        bool isWidening = op.Vector == VectorOp.Cvtss2sd;
        if (!vectors.ReadElement(ref op, isWidening ? 4 : 8, out ulong value))
        {
            return false;
        }

        var environment = new FloatEnvironment(state->Mxcsr);
        ulong result = isWidening
            ? ConversionLane.Widen(value, ref environment)
            : ConversionLane.Narrow(value, ref environment);
        if (!floatStatus.Accept(environment.Raised))
        {
            return false;
        }

        vectors.WriteElement(op.DestinationRegister, isWidening ? 8 : 4, result);
        return true;
    }
}

using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Conversions between two integers of 32 bits in an MMX register and floating-point numbers in an XMM register.</summary>
internal sealed unsafe class MmxConversions(
    ProcessorState* state,
    XmmFile xmm,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    MmxRegisters mmx)
{
    public bool Convert(ref MicroOp op, MmxOp operation)
    {
        FloatEnvironment environment = SseEnvironment();
        return operation is MmxOp.ToSingles or MmxOp.ToDoubles
            ? ConvertFromMmx(ref op, operation == MmxOp.ToSingles, ref environment)
            : ConvertToMmx(ref op, operation, ref environment);
    }

    private bool ConvertFromMmx(ref MicroOp op, bool isSingle, ref FloatEnvironment environment)
    {
        if (!mmx.ReadSource(ref op, out ulong integers))
        {
            return false;
        }

        BinaryFormat format = isSingle ? BinaryFormat.Single : BinaryFormat.Double;
        ulong low = Float80.FromInt64((int)integers).To(format, ref environment);
        ulong high = Float80.FromInt64((int)(integers >> 32)).To(format, ref environment);
        if (!FinishSse(in environment))
        {
            return false;
        }

        ref Vector128<byte> destination = ref xmm[op.DestinationRegister];
        destination = isSingle
            ? destination.AsUInt64().WithElement(0, low | (high << 32)).AsByte()
            : Vector128.Create(low, high).AsByte();

        // Nothing of the x87 is touched if the operand is in memory.
        return op.Source == OperandKind.Memory || mmx.Enter();
    }

    private bool ConvertToMmx(ref MicroOp op, MmxOp operation, ref FloatEnvironment environment)
    {
        bool isSingle = operation is MmxOp.FromSingles or MmxOp.FromSinglesTruncated;
        if (!ReadConvertedOperand(ref op, isSingle, out ulong first, out ulong second))
        {
            return false;
        }

        if (operation is MmxOp.FromSinglesTruncated or MmxOp.FromDoublesTruncated)
        {
            environment.Rounding = RoundingMode.TowardZero;
        }

        uint low = ToInt32(first, isSingle, ref environment);
        uint high = ToInt32(second, isSingle, ref environment);
        return FinishSse(in environment) && mmx.Write(op.DestinationRegister, low | ((ulong)high << 32));
    }

    private uint ToInt32(ulong bits, bool isSingle, ref FloatEnvironment environment)
    {
        const uint denormalsAreZeros = 1 << 6;
        BinaryFormat format = isSingle ? BinaryFormat.Single : BinaryFormat.Double;
        FloatEnvironment loading = environment;
        Float80 value = Float80.From(format, bits, ref loading);
        return loading.HasDenormalSource && (state->Mxcsr & denormalsAreZeros) != 0
            ? 0
            : (uint)value.ToInteger(4, ref environment);
    }

    private bool ReadConvertedOperand(ref MicroOp op, bool isSingle, out ulong first, out ulong second)
    {
        second = 0;
        if (op.Source != OperandKind.Memory)
        {
            Vector128<ulong> source = xmm[op.SourceRegister].AsUInt64();
            (first, second) = isSingle ? ((uint)source[0], source[0] >> 32) : (source[0], source[1]);
            return true;
        }

        ulong address = operands.Address(ref op);
        if (isSingle)
        {
            bool isLoaded = memory.Load(address, 8, out ulong both);
            (first, second) = ((uint)both, both >> 32);
            return isLoaded;
        }

        first = 0;
        return (address & 15) != 0
            ? pending.Fault(GeneralProtection, 0)
            : memory.Load(address, 8, out first) && memory.Load(address + 8, 8, out second);
    }

    private FloatEnvironment SseEnvironment() => new()
    {
        Rounding = (RoundingMode)((state->Mxcsr >> 13) & 3),
        Precision = 64,
        Masked = (FloatExceptions)((state->Mxcsr >> 7) & (uint)FloatExceptions.All),
    };

    /// <summary>Takes over the exceptions of an instruction on XMM registers, and faults if one of them is not masked.</summary>
    private bool FinishSse(in FloatEnvironment environment)
    {
        state->Mxcsr |= (uint)environment.Raised;
        return (environment.Raised & ~environment.Masked) == 0
            || pending.Fault((state->Control.Cr4 & Cr4SimdExceptions) != 0 ? SimdFault : InvalidOpcode, 0);
    }
}

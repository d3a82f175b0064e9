using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Moves of vectors and of their elements.</summary>
internal sealed unsafe class VectorMoves(
    ProcessorState* state,
    RegisterFile registers,
    XmmFile xmm,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    VectorOperands vectors,
    VectorElements vectorElements)
{
    public bool Execute(ref MicroOp op)
    {
        switch (op.Vector)
        {
            case VectorOp.MoveAligned or VectorOp.MoveUnaligned: return MoveVector(ref op);
            case VectorOp.MoveScalar: return MoveScalar(ref op, op.Form == VectorForm.ScalarSingle ? 4 : 8);
            case VectorOp.MoveQuadword: return MoveQuadword(ref op);
            case VectorOp.MoveGeneral: return MoveGeneral(ref op);
            case VectorOp.MoveLow: return MoveHalf(ref op, 0);
            case VectorOp.MoveHigh: return MoveHalf(ref op, 1);
            case VectorOp.MoveHighToLow:
                SetHalf(op.DestinationRegister, 0, xmm[op.SourceRegister].AsUInt64()[1]);
                return true;
            case VectorOp.MoveLowToHigh:
                SetHalf(op.DestinationRegister, 1, xmm[op.SourceRegister].AsUInt64()[0]);
                return true;
            case VectorOp.MoveSignMask:
                registers[op.DestinationRegister] = op.Form == VectorForm.PackedSingle
                    ? xmm[op.SourceRegister].AsUInt32().ExtractMostSignificantBits()
                    : xmm[op.SourceRegister].AsUInt64().ExtractMostSignificantBits();
                return true;
            case VectorOp.MoveByteMask:
                registers[op.DestinationRegister] = xmm[op.SourceRegister].ExtractMostSignificantBits();
                return true;
            case VectorOp.MaskedStore: return StoreMasked(ref op);
            case <= VectorOp.DuplicateLow: return Duplicate(ref op);
            case <= VectorOp.InsertSingle: return vectorElements.Insert(ref op);
            case <= VectorOp.ExtractQuadword: return vectorElements.Extract(ref op);
            case VectorOp.LoadMxcsr: return LoadMxcsr(ref op);
            default: return memory.Store(operands.Address(ref op), 4, state->Mxcsr);
        }
    }

    private bool MoveVector(ref MicroOp op)
    {
        if (op.Destination == OperandKind.Register && op.Source == OperandKind.Register)
        {
            xmm[op.DestinationRegister] = xmm[op.SourceRegister];
            return true;
        }

        ulong address = operands.Address(ref op);
        if (op.Vector == VectorOp.MoveAligned && !vectors.IsAligned(address))
        {
            return false;
        }

        if (op.Destination == OperandKind.Memory)
        {
            return memory.StoreVector(address, xmm[op.SourceRegister]);
        }

        if (!memory.LoadVector(address, out Vector128<byte> value))
        {
            return false;
        }

        xmm[op.DestinationRegister] = value;
        return true;
    }

    /// <summary>MOVSS and MOVSD: a load clears the rest of the register, a move between registers keeps it.</summary>
    private bool MoveScalar(ref MicroOp op, int size)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return memory.Store(operands.Address(ref op), size, xmm[op.SourceRegister].AsUInt64().ToScalar());
        }

        if (op.Source == OperandKind.Register)
        {
            vectors.WriteElement(op.DestinationRegister, size, xmm[op.SourceRegister].AsUInt64().ToScalar());
            return true;
        }

        return LoadElement(ref op, size);
    }

    private bool MoveQuadword(ref MicroOp op)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return memory.Store(operands.Address(ref op), 8, xmm[op.SourceRegister].AsUInt64().ToScalar());
        }

        return LoadElement(ref op, 8);
    }

    /// <summary>Reads an element into a register and clears the rest.</summary>
    private bool LoadElement(ref MicroOp op, int size)
    {
        if (!vectors.ReadElement(ref op, size, out ulong value))
        {
            return false;
        }

        xmm[op.DestinationRegister] = Vector128.CreateScalar(value).AsByte();
        return true;
    }

    /// <summary>MOVD and MOVQ from or to a general register or memory.</summary>
    private bool MoveGeneral(ref MicroOp op)
    {
        // The general operand tells the size: the other one is a whole XMM register.
        if (op.Size < LinearMemory.VectorSize)
        {
            return operands.WriteDestination(ref op, xmm[op.SourceRegister].AsUInt64().ToScalar());
        }

        if (!operands.ReadSource(ref op, op.SourceSize, out ulong value))
        {
            return false;
        }

        xmm[op.DestinationRegister] = Vector128.CreateScalar(value).AsByte();
        return true;
    }

    private bool MoveHalf(ref MicroOp op, int half)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return memory.Store(operands.Address(ref op), 8, xmm[op.SourceRegister].AsUInt64()[half]);
        }

        if (!memory.Load(operands.Address(ref op), 8, out ulong value))
        {
            return false;
        }

        SetHalf(op.DestinationRegister, half, value);
        return true;
    }

    private void SetHalf(int register, int half, ulong value)
    {
        ref Vector128<byte> target = ref xmm[register];
        target = target.AsUInt64().WithElement(half, value).AsByte();
    }

    private bool Duplicate(ref MicroOp op)
    {
        if (!vectors.Read(ref op, out Vector128<byte> source))
        {
            return false;
        }

        xmm[op.DestinationRegister] = op.Vector switch
        {
            VectorOp.DuplicateEven => Vector128.Shuffle(source.AsUInt32(), Vector128.Create(0u, 0, 2, 2)).AsByte(),
            VectorOp.DuplicateOdd => Vector128.Shuffle(source.AsUInt32(), Vector128.Create(1u, 1, 3, 3)).AsByte(),
            _ => Vector128.Create(source.AsUInt64().ToScalar()).AsByte(),
        };
        return true;
    }

    /// <summary>MASKMOVDQU. A byte that is not selected is not accessed.</summary>
    private bool StoreMasked(ref MicroOp op)
    {
        ulong address = operands.Address(ref op);
        uint mask = xmm[op.SourceRegister].ExtractMostSignificantBits();
        Vector128<byte> data = xmm[op.DestinationRegister];
        for (int i = 0; i < LinearMemory.VectorSize; i++)
        {
            // Nothing is written unless all of it can be.
            if ((mask >> i & 1) != 0 && !memory.LoadForStore(address + (ulong)i, 1, out _))
            {
                return false;
            }
        }

        for (int i = 0; i < LinearMemory.VectorSize; i++)
        {
            if ((mask >> i & 1) != 0 && !memory.Store(address + (ulong)i, 1, data[i]))
            {
                return false;
            }
        }

        return true;
    }

    private bool LoadMxcsr(ref MicroOp op)
    {
        if (!memory.Load(operands.Address(ref op), 4, out ulong value))
        {
            return false;
        }

        if ((value & ~(ulong)FloatingPointImage.MxcsrBits) != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        state->Mxcsr = (uint)value;
        return true;
    }
}

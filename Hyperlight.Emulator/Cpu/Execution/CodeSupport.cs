using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What compiled code calls for anything but the common cases.</summary>
internal sealed unsafe class CodeSupport(
    ProcessorState* state,
    Tlb tlb,
    Flags flags,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    Interpreter interpreter)
{
    /// <summary>The state of the processor, which compiled code accesses itself.</summary>
    public readonly ProcessorState* State = state;

    /// <summary>The translations, which it looks up itself.</summary>
    public readonly Tlb Tlb = tlb;

    /// <summary>What <see cref="Load"/> loaded.</summary>
    public ulong Loaded;

    public bool Load(ulong address, int size) => memory.Load(address, size, out Loaded);

    public bool LoadForStore(ulong address, int size) => memory.LoadForStore(address, size, out Loaded);

    public ulong SegmentBase(int segment) => operands.SegmentBase(segment);

    public bool Holds(int condition) => flags.Holds(condition);

    /// <inheritdoc cref="Flags.SetRotateFlags"/>
    public void SetRotateFlags(Op op, ulong result, int size) => flags.SetRotateFlags(op, result, size);

    /// <summary>Stores; afterwards <see cref="ProcessorState.BlockEnd"/> is zero if code changed.</summary>
    public bool Store(ulong address, int size, ulong value) => memory.Store(address, size, value);

    /// <summary>Executes an instruction that is not compiled. Its registers and flags are in the processor's fields.</summary>
    public RegionExit Execute(ref MicroOp op)
    {
        State->Rip = op.NextRip;
        if (interpreter.Execute(ref op))
        {
            // It may have taken long.
            return State->BlockEnd == 0 || OpTable.EndsBlock(op.Op) || Volatile.Read(ref State->CancelRequested) != 0
                ? RegionExit.Interpret
                : RegionExit.Continue;
        }

        if (pending.Kind != PendingKind.ExitBehind)
        {
            State->Rip = op.Rip;
        }

        return RegionExit.Pending;
    }

    /// <summary>Works the flags out from what they follow from.</summary>
    public void SetFlags(FlagSource source, ulong a, ulong b, ulong result, ulong carry)
    {
        int size = (int)(source & FlagSource.SizeMask);
        switch (source & FlagSource.KindMask)
        {
            case FlagSource.Processor:
                break;
            case FlagSource.Add:
                flags.SetArithmetic(result, Flags.CarriesOfSum(a, b, result), size);
                break;
            case FlagSource.Subtract:
                flags.SetDifference(a, b, size);
                break;
            case FlagSource.SubtractWithBorrow:
                flags.SetArithmetic(result, Flags.CarriesOfDifference(a, b, result), size);
                break;
            case FlagSource.Logic:
                flags.SetLogic(result, size);
                break;
            case FlagSource.Increment:
                flags.SetSum(result - 1, 1, size);
                flags.SetCarries(carry != 0, flags.Overflow, flags.Adjust);
                break;
            case FlagSource.Decrement:
                flags.SetDifference(result + 1, 1, size);
                flags.SetCarries(carry != 0, flags.Overflow, flags.Adjust);
                break;
            case FlagSource.Product:
                flags.SetProduct(result, a != 0, size);
                break;
            default:
                flags.SetShiftFlags(ShiftOf(source), SizedInteger.Truncate(a, size), SizedInteger.Truncate(result, size), (int)b, size);
                break;
        }
    }

    private static Op ShiftOf(FlagSource source) => (source & FlagSource.KindMask) switch
    {
        FlagSource.ShiftLeft => Op.Shl,
        FlagSource.ShiftRight => Op.Shr,
        _ => Op.Sar,
    };

    /// <summary>CF alone, 0 or 1.</summary>
    public ulong CarryOf(FlagSource source, ulong a, ulong b, ulong result, ulong carry)
    {
        if ((source & FlagSource.KindMask) is FlagSource.Increment or FlagSource.Decrement)
        {
            return carry;
        }

        SetFlags(source, a, b, result, carry);
        return flags.Carry ? 1UL : 0;
    }

    public static ulong MultiplyHigh(ulong a, ulong b) => Math.BigMul(a, b, out _);

    public static ulong MultiplyHighSigned(ulong a, ulong b) => (ulong)Math.BigMul((long)a, (long)b, out _);
}

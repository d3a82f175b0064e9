using System.Runtime.CompilerServices;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// RFLAGS. The arithmetic flags are kept as the values they follow from, because most instructions set them and few look:
/// the result gives ZF, SF and PF, and the carry out of each bit gives CF, OF and AF.
/// </summary>
internal readonly unsafe partial struct Flags(ProcessorState* state)
{
    private const ulong CarryBit = 1UL << 63;

    public bool Carry => (long)state->Results.Carries < 0;

    public bool Overflow => (long)(state->Results.Carries ^ (state->Results.Carries << 1)) < 0;

    public bool Zero => state->Results.Zero == 0;

    private bool Sign => (long)state->Results.Sign < 0;

    private bool Parity => (System.Numerics.BitOperations.PopCount(state->Results.Parity) & 1) == 0;

    public bool Adjust => (state->Results.Carries & 8) != 0;

    public bool Backwards => (state->Results.Other & FlagDirection) != 0;

    public ulong Read() => 2 | state->Results.Other
        | (Carry ? FlagCarry : 0) | (Parity ? FlagParity : 0) | (Adjust ? FlagAdjust : 0)
        | (Zero ? FlagZero : 0) | (Sign ? FlagSign : 0) | (Overflow ? FlagOverflow : 0);

    public void Write(ulong flags)
    {
        state->Results.Other = flags & OtherFlags;
        WriteArithmetic(flags);
    }

    public void WriteArithmetic(ulong flags)
    {
        state->Results.Zero = (flags & FlagZero) != 0 ? 0UL : 1;
        state->Results.Sign = (flags & FlagSign) != 0 ? CarryBit : 0;
        state->Results.Parity = (byte)((flags & FlagParity) != 0 ? 0 : 1);
        SetCarries((flags & FlagCarry) != 0, (flags & FlagOverflow) != 0, (flags & FlagAdjust) != 0);
    }

    public void SetCarries(bool carry, bool overflow, bool adjust) => state->Results.Carries =
        (carry ? CarryBit : 0) | (carry != overflow ? CarryBit >> 1 : 0) | (adjust ? 8UL : 0);

    /// <summary>ZF, SF and PF of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetResult(ulong result, int size)
    {
        int shift = 64 - (8 * size);
        state->Results.Zero = state->Results.Sign = result << shift;
        state->Results.Parity = (byte)result;
    }

    /// <summary>All flags of an addition or subtraction, from the carry out of each bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetArithmetic(ulong result, ulong carries, int size)
    {
        SetResult(result, size);
        int shift = 64 - (8 * size);
        state->Results.Carries = ((carries << shift) & ~8UL) | (carries & 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetLogic(ulong result, int size)
    {
        SetResult(result, size);
        state->Results.Carries = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Holds(int condition)
    {
        bool value = (condition >> 1) switch
        {
            0 => Overflow,
            1 => Carry,
            2 => Zero,
            3 => Carry || Zero,
            4 => Sign,
            5 => Parity,
            6 => Sign != Overflow,
            _ => Zero || Sign != Overflow,
        };
        return value != ((condition & 1) != 0);
    }

    public void SetProduct(ulong result, bool overflow, int size)
    {
        SetResult(result, size);
        SetCarries(overflow, overflow, false);
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Add(ulong a, ulong b, ulong carry, int size)
    {
        ulong result = a + b + carry;
        SetArithmetic(result, (a & b) | ((a | b) & ~result), size);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Subtract(ulong a, ulong b, ulong borrow, int size)
    {
        ulong result = a - b - borrow;
        SetArithmetic(result, (~a & b) | ((~a | b) & result), size);
        return result;
    }
}

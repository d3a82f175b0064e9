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

    public bool Carry => state->Results.Carry;

    public bool Overflow => state->Results.Overflow;

    public bool Zero => state->Results.IsZero;

    public bool Adjust => (state->Results.Carries & 8) != 0;

    public bool Backwards => (state->Results.Other & FlagDirection) != 0;

    public ulong Read() => 2 | state->Results.Other
        | (Carry ? FlagCarry : 0) | (state->Results.HasEvenParity ? FlagParity : 0) | (Adjust ? FlagAdjust : 0)
        | (Zero ? FlagZero : 0) | (state->Results.IsNegative ? FlagSign : 0) | (Overflow ? FlagOverflow : 0);

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
    public void SetResult(ulong result, int size) => state->Results.SetResult(result, size);

    /// <summary>All flags of an addition or subtraction, from the carry out of each bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetArithmetic(ulong result, ulong carries, int size)
    {
        FlagResults* results = &state->Results;
        results->SetResult(result, size);
        results->Carries = ((carries << (-8 * size)) & ~8UL) | (carries & 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetLogic(ulong result, int size) => SetArithmetic(result, 0, size);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Holds(int condition)
    {
        ref FlagResults results = ref state->Results;
        bool value = (condition >> 1) switch
        {
            0 => results.Overflow,
            1 => results.Carry,
            2 => results.IsZero,
            3 => results.Carry || results.IsZero,
            4 => results.IsNegative,
            5 => results.HasEvenParity,
            6 => results.IsNegative != results.Overflow,
            _ => results.IsZero || results.IsNegative != results.Overflow,
        };
        return value != ((condition & 1) != 0);
    }

    /// <summary>All flags of an addition or subtraction of one but CF, which stays.</summary>
    public void SetArithmeticButCarry(ulong result, ulong carries, int size)
    {
        ulong before = state->Results.Carries;
        SetArithmetic(result, carries, size);

        // Both highest bits change, or none: OF says whether they differ.
        ulong isChanged = 0 - ((state->Results.Carries ^ before) >> 63);
        state->Results.Carries ^= isChanged & (CarryBit | (CarryBit >> 1));
    }

    public void SetProduct(ulong result, bool overflow, int size)
    {
        SetResult(result, size);
        SetCarries(overflow, overflow, false);
    }

    /// <summary>The flags of the addition of two numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetSum(ulong a, ulong b, int size)
    {
        ulong sum = a + b;
        SetArithmetic(sum, CarriesOfSum(a, b, sum), size);
    }

    /// <summary>The flags of the subtraction of a number from another one, as of a comparison.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetDifference(ulong a, ulong b, int size)
    {
        ulong difference = a - b;
        SetArithmetic(difference, CarriesOfDifference(a, b, difference), size);
    }

    /// <summary>The carry out of each bit of an addition, of a third number of one bit as well.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CarriesOfSum(ulong a, ulong b, ulong sum) => (a & b) | ((a | b) & ~sum);

    /// <summary>The borrow of each bit of a subtraction, of a third number of one bit as well.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CarriesOfDifference(ulong a, ulong b, ulong difference) => (~a & b) | ((~a | b) & difference);
}

using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// RFLAGS. The arithmetic flags are kept as the values they follow from, because most instructions set them and few look:
/// the result gives ZF, SF and PF, and the carry out of each bit gives CF, OF and AF.
/// </summary>
internal sealed partial class Processor
{
    private const ulong FlagCarry = 1 << 0;
    private const ulong FlagParity = 1 << 2;
    private const ulong FlagAdjust = 1 << 4;
    private const ulong FlagZero = 1 << 6;
    private const ulong FlagSign = 1 << 7;
    private const ulong FlagTrap = 1 << 8;
    private const ulong FlagInterrupt = 1 << 9;
    private const ulong FlagDirection = 1 << 10;
    private const ulong FlagOverflow = 1 << 11;
    private const ulong FlagIoPrivilege = 3 << 12;
    private const ulong FlagNestedTask = 1 << 14;
    private const ulong FlagResume = 1 << 16;
    private const ulong FlagAlignment = 1 << 18;
    private const ulong FlagIdentification = 1 << 21;
    private const ulong ArithmeticFlags = FlagCarry | FlagParity | FlagAdjust | FlagZero | FlagSign | FlagOverflow;

    /// <summary>TF, IF, DF, IOPL, NT, RF, AC and ID.</summary>
    private const ulong OtherFlags = 0x25_7700;
    private const ulong CarryBit = 1UL << 63;

    /// <summary>ZF is set if this is zero.</summary>
    private ulong _zeroResult = 1;

    /// <summary>SF is its highest bit.</summary>
    private ulong _signResult;

    /// <summary>PF is the parity of its low byte.</summary>
    private byte _parityResult = 1;

    /// <summary>CF in bit 63; OF is bit 63 unlike bit 62; AF in bit 3.</summary>
    private ulong _carries;
    private ulong _otherFlags;

    private bool Carry => (long)_carries < 0;

    private bool Overflow => (long)(_carries ^ (_carries << 1)) < 0;

    private bool Zero => _zeroResult == 0;

    private bool Sign => (long)_signResult < 0;

    private bool Parity => (System.Numerics.BitOperations.PopCount(_parityResult) & 1) == 0;

    private bool Adjust => (_carries & 8) != 0;

    private bool Backwards => (_otherFlags & FlagDirection) != 0;

    private ulong ReadFlags() => 2 | _otherFlags
        | (Carry ? FlagCarry : 0) | (Parity ? FlagParity : 0) | (Adjust ? FlagAdjust : 0)
        | (Zero ? FlagZero : 0) | (Sign ? FlagSign : 0) | (Overflow ? FlagOverflow : 0);

    private void WriteFlags(ulong flags)
    {
        _otherFlags = flags & OtherFlags;
        WriteArithmeticFlags(flags);
    }

    private void WriteArithmeticFlags(ulong flags)
    {
        _zeroResult = (flags & FlagZero) != 0 ? 0UL : 1;
        _signResult = (flags & FlagSign) != 0 ? CarryBit : 0;
        _parityResult = (byte)((flags & FlagParity) != 0 ? 0 : 1);
        SetCarries((flags & FlagCarry) != 0, (flags & FlagOverflow) != 0, (flags & FlagAdjust) != 0);
    }

    private void SetCarries(bool carry, bool overflow, bool adjust) => _carries =
        (carry ? CarryBit : 0) | (carry != overflow ? CarryBit >> 1 : 0) | (adjust ? 8UL : 0);

    /// <summary>ZF, SF and PF of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetResult(ulong result, int size)
    {
        int shift = 64 - (8 * size);
        _zeroResult = _signResult = result << shift;
        _parityResult = (byte)result;
    }

    /// <summary>All flags of an addition or subtraction, from the carry out of each bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetArithmetic(ulong result, ulong carries, int size)
    {
        SetResult(result, size);
        int shift = 64 - (8 * size);
        _carries = ((carries << shift) & ~8UL) | (carries & 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SetLogic(ulong result, int size)
    {
        SetResult(result, size);
        _carries = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Holds(int condition)
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
}

namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>A significand cut to fewer bits, and how.</summary>
internal readonly ref struct SignificandRounding
{
    /// <summary>Rounds 128 bits, of which the last may stand for any number of bits that are not all zero.</summary>
    /// <param name="isNegative">The sign of the number.</param>
    /// <param name="value">The significand.</param>
    /// <param name="precision">How many of its upper bits stay, 1 to 64.</param>
    /// <param name="mode">The direction.</param>
    public SignificandRounding(bool isNegative, UInt128 value, int precision, RoundingMode mode)
    {
        ulong high = (ulong)(value >> 64);
        ulong unit = 1UL << (64 - precision);
        ulong kept = high & ~(unit - 1);
        UInt128 rest = value - ((UInt128)kept << 64);
        UInt128 half = (UInt128)unit << 63;
        IsInexact = rest != 0;
        IsUp = IsInexact && mode switch
        {
            RoundingMode.Nearest => rest > half || (rest == half && (kept & unit) != 0),
            RoundingMode.Down => isNegative,
            RoundingMode.Up => !isNegative,
            _ => false,
        };
        Significand = IsUp ? kept + unit : kept;
        Carries = IsUp && Significand == 0;
    }

    /// <summary>The bits that stay, at their places.</summary>
    public ulong Significand { get; }

    public bool IsInexact { get; }

    /// <summary>The magnitude grew.</summary>
    public bool IsUp { get; }

    /// <summary>All bits were ones, and the result is the next power of two.</summary>
    public bool Carries { get; }

    /// <summary>Shifts right; the last bit of the result is set if any bit lost was.</summary>
    public static UInt128 ShiftRight(UInt128 value, int count) => count switch
    {
        <= 0 => value,
        < 128 => (value >> count) | ((value << (128 - count)) != 0 ? UInt128.One : 0),
        _ => value != 0 ? UInt128.One : 0,
    };
}

using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Tests.Emulator;

/// <summary>What any values must satisfy; double precision, where every host agrees, is the judge.</summary>
internal sealed class Float80Properties
{
    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool SumsAreThoseOfDoubles(ulong a, ulong b) =>
        Agrees(a, b, (x, y) => x + y, (Float80 x, Float80 y, ref FloatEnvironment e) => Float80.Add(x, y, ref e));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool DifferencesAreThoseOfDoubles(ulong a, ulong b) =>
        Agrees(a, b, (x, y) => x - y, (Float80 x, Float80 y, ref FloatEnvironment e) => Float80.Subtract(x, y, ref e));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool ProductsAreThoseOfDoubles(ulong a, ulong b) =>
        Agrees(a, b, (x, y) => x * y, (Float80 x, Float80 y, ref FloatEnvironment e) => Float80.Multiply(x, y, ref e));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool QuotientsAreThoseOfDoubles(ulong a, ulong b) =>
        Agrees(a, b, (x, y) => x / y, (Float80 x, Float80 y, ref FloatEnvironment e) => Float80.Divide(x, y, ref e));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool RootsAreThoseOfDoubles(ulong a) => Agrees(
        a & ~(1UL << 63), 0, (x, _) => Math.Sqrt(x), (Float80 x, Float80 _, ref FloatEnvironment e) => Float80.SquareRoot(x, ref e));

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool DoublesComeBack(ulong seed)
    {
        ulong bits = Spread(seed);
        FloatEnvironment environment = FloatEnvironment.Default;
        return double.IsNaN(BitConverter.UInt64BitsToDouble(bits))
            || Float80.From(BinaryFormat.Double, bits, ref environment).To(BinaryFormat.Double, ref environment) == bits;
    }

    [FsCheck.NUnit.Property(MaxTest = 2000)]
    public bool SinglesAreRoundedAsByTheHost(ulong seed)
    {
        double value = BitConverter.UInt64BitsToDouble(Spread(seed));
        FloatEnvironment environment = FloatEnvironment.Default;
        ulong single = Float80.From(BinaryFormat.Double, Spread(seed), ref environment).To(BinaryFormat.Single, ref environment);
        return double.IsNaN(value) || single == BitConverter.SingleToUInt32Bits((float)value);
    }

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool IntegersComeBack(long seed)
    {
        long value = (long)Spread((ulong)seed);
        FloatEnvironment environment = FloatEnvironment.Default;
        return Float80.FromInt64(value).ToInteger(8, ref environment) == value
            && environment.Raised == FloatExceptions.None;
    }

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool DecimalsComeBack(long seed)
    {
        long value = (long)Spread((ulong)seed) % 1_000_000_000_000_000_000;
        FloatEnvironment environment = FloatEnvironment.Default;
        (ulong low, ushort high) = Float80.FromInt64(value).ToDecimal(ref environment);
        return Float80.FromDecimal(low, high) == Float80.FromInt64(value);
    }

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool RemaindersAreThoseOfIntegers(long a, long b)
    {
        long dividend = (long)Spread((ulong)a) >> 1;
        long divisor = ((long)Spread((ulong)b) >> 40) | 1;
        FloatEnvironment environment = FloatEnvironment.Default;
        Float80 rest = Float80.Remainder(
            Float80.FromInt64(dividend), Float80.FromInt64(divisor), isNearest: false, ref environment, out ulong quotient, out _);
        return rest.ToInteger(8, ref environment) == dividend % divisor
            && (quotient & 7) == ((ulong)Math.Abs(dividend / divisor) & 7);
    }

    [FsCheck.NUnit.Property(MaxTest = 1000)]
    public bool DirectedRoundingsEncloseTheNearest(ulong a, ulong b)
    {
        Float80 nearest = DivideWith(RoundingMode.Nearest, a, b, out FloatEnvironment environment);
        Float80 down = DivideWith(RoundingMode.Down, a, b, out _);
        Float80 up = DivideWith(RoundingMode.Up, a, b, out _);
        bool isExact = (environment.Raised & FloatExceptions.Precision) == 0;
        FloatEnvironment comparing = FloatEnvironment.Default;
        return nearest.IsNaN || (isExact
            ? down == nearest && up == nearest
            : (nearest == down || nearest == up)
                && Float80.Compare(down, up, isQuiet: true, ref comparing) == FloatOrder.Less);
    }

    /// <summary>Test data come in small numbers: their bits are spread over a whole word, one for one.</summary>
    private static ulong Spread(ulong seed)
    {
        ulong z = seed + 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    private static Float80 DivideWith(RoundingMode mode, ulong a, ulong b, out FloatEnvironment environment)
    {
        environment = FloatEnvironment.Default with { Rounding = mode };
        var dividend = new Float80((ushort)(Spread(a) & 0xBFFF), Spread(a + 1) | Float80.IntegerBit);
        var divisor = new Float80((ushort)(Spread(b) & 0xBFFF), Spread(b + 1) | Float80.IntegerBit);
        return Float80.Divide(dividend, divisor, ref environment);
    }

    private static bool Agrees(ulong a, ulong b, Func<double, double, double> expected, Operation operation)
    {
        // Exponents near each other, so that sums have something to add.
        ulong x = Spread(a);
        ulong y = (Spread(b) & ~(0x7FFUL << 52)) | (((x >> 52) + (Spread(b) % 120) - 60 & 0x7FF) << 52);
        double result = expected(BitConverter.UInt64BitsToDouble(x), BitConverter.UInt64BitsToDouble(y));
        FloatEnvironment environment = FloatEnvironment.Default with { Precision = 53 };
        Float80 left = Float80.From(BinaryFormat.Double, x, ref environment);
        Float80 right = Float80.From(BinaryFormat.Double, y, ref environment);
        ulong actual = operation(left, right, ref environment).To(BinaryFormat.Double, ref environment);

        // Denormal results of double precision would be rounded twice.
        return double.IsNaN(result) ? double.IsNaN(BitConverter.UInt64BitsToDouble(actual))
            : Math.Abs(result) <= 2.3e-308 || actual == BitConverter.DoubleToUInt64Bits(result);
    }

    private delegate Float80 Operation(Float80 a, Float80 b, ref FloatEnvironment environment);
}

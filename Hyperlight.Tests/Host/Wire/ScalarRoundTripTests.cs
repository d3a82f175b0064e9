using Hyperlight.Host.Wire;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>Every value of every type survives encoding and decoding.</summary>
[TestFixture]
internal sealed class ScalarRoundTripTests
{
    [FsCheck.NUnit.Property]
    public bool Int(int value) => RoundTrip(value) == value && Argument<int>(value) == value;

    [FsCheck.NUnit.Property]
    public bool UInt(uint value) => RoundTrip(value) == value && Argument<uint>(value) == value;

    [FsCheck.NUnit.Property]
    public bool Long(long value) => RoundTrip(value) == value && Argument<long>(value) == value;

    [FsCheck.NUnit.Property]
    public bool ULong(ulong value) => RoundTrip(value) == value && Argument<ulong>(value) == value;

    [FsCheck.NUnit.Property]
    public bool Float(float value) =>
        BitConverter.SingleToInt32Bits(RoundTrip(value)) == BitConverter.SingleToInt32Bits(value)
        && BitConverter.SingleToInt32Bits(Argument<float>(value)) == BitConverter.SingleToInt32Bits(value);

    [FsCheck.NUnit.Property]
    public bool Double(double value) =>
        BitConverter.DoubleToInt64Bits(RoundTrip(value)) == BitConverter.DoubleToInt64Bits(value)
        && BitConverter.DoubleToInt64Bits(Argument<double>(value)) == BitConverter.DoubleToInt64Bits(value);

    [FsCheck.NUnit.Property]
    public bool Bool(bool value) => RoundTrip(value) == value && Argument<bool>(value) == value;

    [FsCheck.NUnit.Property]
    public bool Bytes(byte[] value) => RoundTrip(value).AsSpan().SequenceEqual(value) && Argument<byte[]>(value).AsSpan().SequenceEqual(value);

    [TestCase("")]
    [TestCase("a")]
    [TestCase("Grüße, Wörld")]
    [TestCase("emoji \U0001F600 and NUL \0 inside")]
    public void String(string value)
    {
        Assert.That(RoundTrip(value), Is.EqualTo(value));
        Assert.That(Argument<string>(value), Is.EqualTo(value));
    }

    /// <summary>
    /// The bits come from outside: the just-in-time compiler keeps constants in double precision, and makes a signalling NaN
    /// quiet that way.
    /// </summary>
    [TestCase(0x7FA00001)]
    [TestCase(0x7F800001)]
    [TestCase(unchecked((int)0xFFBFFFFF))]
    public void Signalling_float_bits_are_preserved(int bits)
    {
        float signalling = BitConverter.Int32BitsToSingle(bits);

        Assert.That(BitConverter.SingleToInt32Bits(Argument<float>(signalling)), Is.EqualTo(bits));
        Assert.That(BitConverter.SingleToInt32Bits(RoundTrip(signalling)), Is.EqualTo(bits));
    }

    [TestCase(0x7FF0000000000001)]
    [TestCase(unchecked((long)0xFFF7FFFFFFFFFFFF))]
    public void Signalling_double_bits_are_preserved(long bits)
    {
        double signalling = BitConverter.Int64BitsToDouble(bits);

        Assert.That(BitConverter.DoubleToInt64Bits(Argument<double>(signalling)), Is.EqualTo(bits));
        Assert.That(BitConverter.DoubleToInt64Bits(RoundTrip(signalling)), Is.EqualTo(bits));
    }

    private static T RoundTrip<T>(T value) => new FunctionResultReader(WireMessages.EncodeValue(value)).GetValue<T>();

    private static T Argument<T>(GuestValue value) =>
        new FunctionCallReader(WireMessages.EncodeCall("f", [1, value, "end"], GuestValueType.Void)).GetParameter<T>(1);
}

namespace Hyperlight.Tests.Integration;

/// <summary>Arguments and results of every type.</summary>
internal sealed class ValueTests(TestTarget target) : GuestTest(target)
{
    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(int.MinValue)]
    [TestCase(int.MaxValue)]
    public void Int(int value) => Assert.That(Sandbox.Call<int>("EchoInt", value), Is.EqualTo(value));

    [TestCase(0u)]
    [TestCase(uint.MaxValue)]
    public void UInt(uint value) => Assert.That(Sandbox.Call<uint>("EchoUInt", value), Is.EqualTo(value));

    [TestCase(0L)]
    [TestCase(-1L)]
    [TestCase(long.MinValue)]
    [TestCase(long.MaxValue)]
    public void Long(long value) => Assert.That(Sandbox.Call<long>("EchoLong", value), Is.EqualTo(value));

    [TestCase(0UL)]
    [TestCase(ulong.MaxValue)]
    public void ULong(ulong value) => Assert.That(Sandbox.Call<ulong>("EchoULong", value), Is.EqualTo(value));

    [TestCase(0f)]
    [TestCase(-0f)]
    [TestCase(1.5f)]
    [TestCase(float.NaN)]
    [TestCase(float.NegativeInfinity)]
    [TestCase(float.Epsilon)]
    public void Float(float value) => Assert.That(
        BitConverter.SingleToInt32Bits(Sandbox.Call<float>("EchoFloat", value)), Is.EqualTo(BitConverter.SingleToInt32Bits(value)));

    [TestCase(0d)]
    [TestCase(-0d)]
    [TestCase(Math.PI)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    [TestCase(double.Epsilon)]
    public void Double(double value) => Assert.That(
        BitConverter.DoubleToInt64Bits(Sandbox.Call<double>("EchoDouble", value)), Is.EqualTo(BitConverter.DoubleToInt64Bits(value)));

    [TestCase(true)]
    [TestCase(false)]
    public void Bool(bool value) => Assert.That(Sandbox.Call<bool>("EchoBool", value), Is.EqualTo(value));

    [TestCase("")]
    [TestCase("plain")]
    [TestCase("Grüße \U0001F600 漢字")]
    public void String(string value) => Assert.That(Sandbox.Call<string>("EchoString", value), Is.EqualTo(value));

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(4096)]
    [TestCase(12000)]
    public void Bytes(int length)
    {
        byte[] value = Pattern(length);

        Assert.That(Sandbox.Call<byte[]>("EchoBytes", value), Is.EqualTo(value));
        Assert.That(Sandbox.Call<ReadOnlyMemory<byte>>("EchoBytes", value.AsMemory()).ToArray(), Is.EqualTo(value));
    }

    [Test]
    public void A_slice_of_memory()
    {
        byte[] value = Pattern(100);

        Assert.That(Sandbox.Call<byte[]>("ReverseBytes", value.AsMemory(10, 3)), Is.EqualTo(new[] { value[12], value[11], value[10] }));
    }

    [Test]
    public void Nothing() => Sandbox.Call("ReturnNothing");

    [Test]
    public void Two_arguments() => Assert.That(Sandbox.Call<int>("Add", int.MaxValue, 1), Is.EqualTo(int.MinValue));

    [Test]
    public void Eleven_arguments() =>
        Assert.That(Sandbox.Call<long>("SumEleven", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, int.MaxValue), Is.EqualTo(55L + int.MaxValue));

    [Test]
    public void Eleven_arguments_of_all_types() => Assert.That(
        Sandbox.Call<string>("DescribeAll", -1, 2u, -3L, 4UL, 1f, 2d, true, "text", new byte[] { 1, 2, 3 }, 7, "end"),
        Is.EqualTo("i=-1 u=2 l=-3 U=4 f=3f800000 d=4000000000000000 b=true s=text B=3:010203 i=7 s=end"));

    [Test]
    public void Text_of_two_arguments() =>
        Assert.That(Sandbox.Call<string>("ConcatStrings", "one ", "two"), Is.EqualTo("one two"));

    [Test]
    public void A_long_string() => Assert.That(Sandbox.Call<string>("MakeString", 10_000), Has.Length.EqualTo(10_000));

    [Test]
    public void Megabytes_through_larger_buffers()
    {
        MultiUseSandbox large = Build(b => b.WithConfiguration(new SandboxConfiguration
        {
            InputBufferSize = 2 << 20,
            OutputBufferSize = 2 << 20,
            HeapSize = 8 << 20,
            ScratchSize = 20 << 20,
        }));
        byte[] value = Pattern(1 << 20);

        Assert.That(large.Call<byte[]>("EchoBytes", value), Is.EqualTo(value));
        Assert.That(large.Call<ulong>("SumBytes", value), Is.EqualTo((ulong)value.Sum(b => (long)b)));
    }

    [Test]
    public void Results_are_not_shared_between_calls()
    {
        byte[] first = Sandbox.Call<byte[]>("MakeBytes", 16, 1);
        byte[] second = Sandbox.Call<byte[]>("MakeBytes", 16, 2);

        Assert.That(first, Is.All.EqualTo(1));
        Assert.That(second, Is.All.EqualTo(2));
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
}

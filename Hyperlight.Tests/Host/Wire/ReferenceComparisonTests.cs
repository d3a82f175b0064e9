using Google.FlatBuffers;
using Hyperlight.Host.Wire;
using static Hyperlight.Tests.Host.Wire.ReferenceFlatBuffers;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>Messages that the host writes are read by Google's library, and the other way round.</summary>
[TestFixture]
internal sealed class ReferenceComparisonTests
{
    [Test]
    public void Every_argument_type_is_read_by_the_reference()
    {
        byte[] bytes = [1, 2, 3, 4, 5];
        byte[] message = WireMessages.EncodeCall(
            "DescribeAll",
            [-7, 7u, -8L, 8UL, 1.5f, -2.5, true, "text äöü", bytes, 0, ""],
            GuestValueType.String);

        Table call = Root(message);
        Assert.That(String(call, 0), Is.EqualTo("DescribeAll"));
        Assert.That(Byte(call, 2), Is.EqualTo(1), "function_call_type");
        Assert.That(Byte(call, 3), Is.EqualTo(6), "expected_return_type");
        Assert.That(Count(call, 1), Is.EqualTo(11));
        byte[] types = [.. Enumerable.Range(0, 11).Select(i => Byte(Element(call, 1, i), 0))];
        Assert.That(types, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6, 8, 7, 9, 1, 7 }));
        Assert.That(Int(Value(call, 0), 0), Is.EqualTo(-7));
        Assert.That(Int(Value(call, 1), 0), Is.EqualTo(7));
        Assert.That(Long(Value(call, 2), 0), Is.EqualTo(-8));
        Assert.That(Long(Value(call, 3), 0), Is.EqualTo(8));
        Assert.That(BitConverter.Int32BitsToSingle(Int(Value(call, 4), 0)), Is.EqualTo(1.5f));
        Assert.That(BitConverter.Int64BitsToDouble(Long(Value(call, 5), 0)), Is.EqualTo(-2.5));
        Assert.That(Byte(Value(call, 6), 0), Is.EqualTo(1));
        Assert.That(String(Value(call, 7), 0), Is.EqualTo("text äöü"));
        Assert.That(Bytes(Value(call, 8), 0), Is.EqualTo(bytes));
        Assert.That(Int(Value(call, 9), 0), Is.Zero);
        Assert.That(String(Value(call, 10), 0), Is.Empty);
    }

    [Test]
    public void Eight_byte_values_are_eight_byte_aligned([Range(0, 9)] int nameLength)
    {
        byte[] message = WireMessages.EncodeCall(new string('n', nameLength + 1), [1UL, "x", 2.0, 3L], GuestValueType.Void);

        Table call = Root(message);
        foreach (int index in new[] { 0, 2, 3 })
        {
            Table value = Value(call, index);
            Assert.That((value.bb_pos + Field(value, 0)) % 8, Is.Zero, $"argument {index}");
        }
    }

    [Test]
    public void A_call_without_arguments_has_no_parameter_vector()
    {
        Table call = Root(WireMessages.EncodeCall("f", [], GuestValueType.Int));

        Assert.That(Field(call, 1), Is.Zero);
        Assert.That(Byte(call, 3), Is.Zero);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4096)]
    public void Bytes_of_a_host_function_are_read_by_the_reference(int length)
    {
        byte[] bytes = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();

        Table value = Child(Child(Root(WireMessages.EncodeValue(bytes)), 1), 1);

        Assert.That(Int(value, 0), Is.EqualTo(length));
        Assert.That(Bytes(value, 1), Is.EqualTo(bytes));
    }

    [Test]
    public void Results_of_the_reference_are_read()
    {
        Assert.That(new FunctionResultReader(StringResult("grüße")).GetValue<string>(), Is.EqualTo("grüße"));
        Assert.That(new FunctionResultReader(LongResult(long.MinValue)).GetValue<long>(), Is.EqualTo(long.MinValue));
        Assert.That(new FunctionResultReader(BytesResult([9, 8, 7])).GetValue<byte[]>(), Is.EqualTo(new byte[] { 9, 8, 7 }));
    }

    [Test]
    public void A_log_record_of_the_reference_is_read()
    {
        GuestLogRecord record = GuestLogReader.Read(Log("m", "s", 4, "c", "f.c", 42));

        Assert.That(record, Is.EqualTo(new GuestLogRecord(WireLogLevel.Error, "m", "s", "c", "f.c", 42)));
    }

    private static Table Value(Table call, int index) => Child(Element(call, 1, index), 1);
}

namespace Hyperlight.Tests.Host.Functions;

/// <summary>Reading and comparing values whose type is not known when the program is compiled.</summary>
[TestFixture]
internal sealed class GuestValueTests
{
    private static readonly (GuestValueType Type, GuestValue Value, object? Content)[] Values =
    [
        (GuestValueType.Void, default, null),
        (GuestValueType.Int, int.MinValue, int.MinValue),
        (GuestValueType.UInt, uint.MaxValue, uint.MaxValue),
        (GuestValueType.Long, long.MinValue, long.MinValue),
        (GuestValueType.ULong, ulong.MaxValue, ulong.MaxValue),
        (GuestValueType.Float, 1.5f, 1.5f),
        (GuestValueType.Double, -2.5, -2.5),
        (GuestValueType.Bool, true, true),
        (GuestValueType.String, "text", "text"),
        (GuestValueType.Bytes, new byte[] { 1, 2 }, new byte[] { 1, 2 }),
    ];

    private static readonly (GuestValueType Type, Func<GuestValue, object> Read)[] Readers =
    [
        (GuestValueType.Int, v => v.AsInt32()),
        (GuestValueType.UInt, v => v.AsUInt32()),
        (GuestValueType.Long, v => v.AsInt64()),
        (GuestValueType.ULong, v => v.AsUInt64()),
        (GuestValueType.Float, v => v.AsSingle()),
        (GuestValueType.Double, v => v.AsDouble()),
        (GuestValueType.Bool, v => v.AsBoolean()),
        (GuestValueType.String, v => v.AsString()),
        (GuestValueType.Bytes, v => v.AsBytes().ToArray()),
    ];

    private static readonly (GuestValueType Type, Func<GuestValue, object?> TryGet)[] TryReaders =
    [
        (GuestValueType.Int, TryGet<int>),
        (GuestValueType.UInt, TryGet<uint>),
        (GuestValueType.Long, TryGet<long>),
        (GuestValueType.ULong, TryGet<ulong>),
        (GuestValueType.Float, TryGet<float>),
        (GuestValueType.Double, TryGet<double>),
        (GuestValueType.Bool, TryGet<bool>),
        (GuestValueType.String, TryGet<string>),
        (GuestValueType.Bytes, TryGet<byte[]>),
        (GuestValueType.Bytes, v => TryGet<ReadOnlyMemory<byte>>(v) is ReadOnlyMemory<byte> memory ? memory.ToArray() : null),
    ];

    [Test]
    public void Every_type_has_a_value_a_reader_and_a_try_reader_here()
    {
        GuestValueType[] all = Enum.GetValues<GuestValueType>();

        Assert.That(Values.Select(v => v.Type), Is.EqualTo(all));
        Assert.That(Values.Select(v => v.Value.Type), Is.EqualTo(all));
        Assert.That(Readers.Select(r => r.Type), Is.EqualTo(all[1..]));
        Assert.That(TryReaders.Select(r => r.Type).Distinct(), Is.EqualTo(all[1..]));
    }

    [Test]
    public void A_value_is_read_as_its_own_type_and_as_no_other()
    {
        foreach ((GuestValueType type, GuestValue value, object? content) in Values)
        {
            foreach ((GuestValueType asked, Func<GuestValue, object> read) in Readers)
            {
                if (asked == type)
                {
                    Assert.That(read(value), Is.EqualTo(content));
                    continue;
                }

                GuestValueTypeException error = Assert.Throws<GuestValueTypeException>(() => read(value))!;
                Assert.That(error, Is.InstanceOf<InvalidCastException>());
                Assert.That((error.Expected, error.Actual), Is.EqualTo((asked, type)));
                Assert.That(error.Message, Does.Contain($"the type {type}, but {asked} was asked for"));
            }
        }
    }

    [Test]
    public void Trying_to_read_another_type_gives_false()
    {
        foreach ((GuestValueType type, GuestValue value, object? content) in Values)
        {
            foreach ((GuestValueType asked, Func<GuestValue, object?> read) in TryReaders)
            {
                Assert.That(read(value), Is.EqualTo(asked == type ? content : null), $"{type} as {asked}");
            }
        }
    }

    [Test]
    public void Trying_to_read_a_type_that_the_abi_does_not_have_is_an_error() =>
        Assert.That(() => ((GuestValue)1).TryGet(out DateTime _), Throws.TypeOf<NotSupportedException>().With.Message.Contains("DateTime"));

    [Test]
    public void A_value_is_taken_apart_for_patterns()
    {
        foreach ((GuestValueType type, GuestValue value, object? content) in Values)
        {
            (GuestValueType found, object? read) = value;

            Assert.That(found, Is.EqualTo(type));
            Assert.That(read is ReadOnlyMemory<byte> memory ? memory.ToArray() : read, Is.EqualTo(content));
        }

        Assert.That(Describe(7), Is.EqualTo("number 7"));
        Assert.That(Describe("seven"), Is.EqualTo("text seven"));
        Assert.That(Describe(default), Is.EqualTo("Void"));
    }

    [Test]
    public void A_slice_of_memory_is_read_as_that_slice()
    {
        byte[] array = [0, 1, 2, 3, 4];

        Assert.That(((GuestValue)array.AsMemory(1, 3)).AsBytes().ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(((GuestValue)ReadOnlyMemory<byte>.Empty).AsBytes().ToArray(), Is.Empty);
        using var unmanaged = new NativeBytes(array);
        Assert.That(((GuestValue)unmanaged.Memory[2..]).AsBytes().ToArray(), Is.EqualTo(new byte[] { 2, 3, 4 }), "memory without an array");
    }

    [Test]
    public void Values_are_equal_if_type_and_content_are()
    {
        for (int i = 0; i < Values.Length; i++)
        {
            for (int j = 0; j < Values.Length; j++)
            {
                Assert.That(Values[i].Value == Values[j].Value, Is.EqualTo(i == j));
                Assert.That(Values[i].Value != Values[j].Value, Is.EqualTo(i != j));
            }
        }

        GuestValue bytes = new byte[] { 9, 1, 2 }.AsMemory(1);
        Assert.That(bytes, Is.EqualTo(Values[^1].Value));
        Assert.That(bytes.GetHashCode(), Is.EqualTo(Values[^1].Value.GetHashCode()));
        Assert.That(((GuestValue)new string("text".ToCharArray())).GetHashCode(), Is.EqualTo(((GuestValue)"text").GetHashCode()));
        Assert.That((GuestValue)0d == -0d, Is.False, "floats are compared by their bits");
        Assert.That((GuestValue)1 == 1L, Is.False);
        Assert.That(((GuestValue)1).Equals((object)1), Is.False);
    }

    private static string Describe(GuestValue value) => value switch
    {
        (GuestValueType.Int, int number) => $"number {number}",
        (_, string text) => $"text {text}",
        var (type, _) => type.ToString(),
    };

    private static object? TryGet<T>(GuestValue value) => value.TryGet(out T? content) ? content : null;

    /// <summary>Memory of which no array can be got.</summary>
    private sealed class NativeBytes(byte[] content) : System.Buffers.MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => content;

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}

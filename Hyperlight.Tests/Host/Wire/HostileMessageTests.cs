using Hyperlight.Host.Wire;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>Bytes that a hostile guest might send: each is read or refused with a typed error, and nothing else happens.</summary>
[TestFixture]
internal sealed class HostileMessageTests
{
    private const int Seed = 20260;

    [Test]
    public void Every_truncation_is_refused([ValueSource(nameof(Messages))] byte[] message)
    {
        for (int length = 0; length < message.Length; length++)
        {
            byte[] cut = message[..length];
            Assert.That(() => ReadAll(cut), Throws.TypeOf<GuestProtocolException>(), $"length {length}");
        }
    }

    [Test]
    public void Every_single_byte_change_is_read_or_refused([ValueSource(nameof(Messages))] byte[] message)
    {
        int refused = 0;
        for (int i = 0; i < message.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. message];
                changed[i] ^= (byte)(1 << bit);
                refused += IsRefused(changed) ? 1 : 0;
            }
        }

        Assert.That(refused, Is.Positive);
    }

    [Test]
    public void Random_messages_are_read_or_refused()
    {
        TestContext.Out.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        int refused = 0;
        for (int i = 0; i < 200_000; i++)
        {
            byte[] message = new byte[random.Next(0, 160)];
            random.NextBytes(message);

            // Half of them get past the size check, so that the rest of the reader is reached too.
            if ((i & 1) == 0 && message.Length >= 8)
            {
                BitConverter.TryWriteBytes(message, message.Length - 4);
                BitConverter.TryWriteBytes(message.AsSpan(4), random.Next(0, message.Length));
            }

            refused += IsRefused(message) ? 1 : 0;
        }

        Assert.That(refused, Is.Positive);
    }

    [Test]
    public void Mutated_messages_are_read_or_refused()
    {
        var random = new Random(Seed);
        byte[][] messages = [.. Messages()];
        for (int i = 0; i < 200_000; i++)
        {
            byte[] message = [.. messages[random.Next(messages.Length)]];
            for (int k = random.Next(1, 6); k > 0; k--)
            {
                message[random.Next(4, message.Length)] = (byte)random.Next(256);
            }

            _ = IsRefused(message);
        }
    }

    [Test]
    public void A_size_prefix_that_is_not_the_messages_size_is_refused()
    {
        byte[] message = [.. GoldenVectors.IntResult];
        message[0]++;

        Assert.That(() => ReadAll(message), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("61 bytes, but 60"));
    }

    [Test]
    public void An_unknown_result_kind_is_refused()
    {
        byte[] message = [.. GoldenVectors.IntResult];
        message[0x17] = 9;

        Assert.That(
            () => new FunctionResultReader(message), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("unknown kind 9"));
    }

    [Test]
    public void An_unknown_value_type_is_refused()
    {
        byte[] message = [.. GoldenVectors.IntResult];
        message[0x2B] = 77;

        Assert.That(
            () => new FunctionResultReader(message), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("unknown type 77"));
    }

    [Test]
    public void A_call_of_no_kind_is_refused()
    {
        byte[] message = [.. GoldenVectors.AddCall];
        message[0x1B] = 0;

        Assert.That(
            () => new FunctionCallReader(message), Throws.TypeOf<GuestProtocolException>().With.Message.Contains("call type 0"));
    }

    [Test]
    public void Text_that_is_not_utf8_is_refused()
    {
        byte[] message = [.. GoldenVectors.ErrorResult];
        message[0x40] = 0xFF;

        Assert.That(
            () => new FunctionResultReader(message).ErrorMessage, Throws.TypeOf<GuestProtocolException>().With.Message.Contains("UTF-8"));
    }

    [Test]
    public void A_log_record_without_one_of_its_strings_is_refused()
    {
        // A GuestError is a table too, but it has no strings where a log record needs them.
        Assert.That(() => GuestLogReader.Read(GoldenVectors.IntResult), Throws.TypeOf<GuestProtocolException>());
    }

    [Test]
    public void A_log_record_of_an_unknown_level_is_refused() =>
        Assert.That(
            () => GuestLogReader.Read(ReferenceFlatBuffers.Log("m", "s", 7, "c", "f", 1)),
            Throws.TypeOf<GuestProtocolException>().With.Message.Contains("level 7"));

    private static IEnumerable<byte[]> Messages() =>
    [
        GoldenVectors.AddCall,
        GoldenVectors.IntResult,
        GoldenVectors.ErrorResult,
        WireMessages.EncodeCall("f", ["text", new byte[] { 1, 2, 3 }, 1UL, true, 2.5], GuestValueType.String),
        WireMessages.EncodeValue("a result"),
        WireMessages.EncodeValue(new byte[] { 1, 2, 3 }),
        ReferenceFlatBuffers.Log("message", "source", 2, "caller", "file.c", 7),
    ];

    private static bool IsRefused(byte[] message)
    {
        bool refused = false;
        foreach (Action<byte[]> read in new Action<byte[]>[] { ReadResult, ReadCall, ReadLog })
        {
            try
            {
                read(message);
            }
            catch (GuestProtocolException)
            {
                refused = true;
            }
        }

        return refused;
    }

    private static void ReadAll(byte[] message)
    {
        ReadResult(message);
        ReadCall(message);
        ReadLog(message);
    }

    private static void ReadResult(byte[] message)
    {
        var result = new FunctionResultReader(message);
        if (result.IsError)
        {
            _ = result.ErrorCode + (ulong)result.ErrorMessage.Length;
            return;
        }

        switch (result.ValueType)
        {
            case GuestValueType.String: _ = result.GetValue<string>(); break;
            case GuestValueType.Bytes: _ = result.GetValue<byte[]>(); break;
            case GuestValueType.Long: _ = result.GetValue<long>(); break;
            case GuestValueType.Bool: _ = result.GetValue<bool>(); break;
            default: _ = result.GetValue<int>(); break;
        }
    }

    private static void ReadCall(byte[] message)
    {
        var call = new FunctionCallReader(message);
        for (int i = 0; i < Math.Min(call.ParameterCount, 16); i++)
        {
            switch (call.GetParameterType(i))
            {
                case GuestValueType.String: _ = call.GetParameter<string>(i); break;
                case GuestValueType.Bytes: _ = call.GetParameter<byte[]>(i); break;
                case GuestValueType.Double: _ = call.GetParameter<double>(i); break;
                default: _ = call.GetParameter<int>(i); break;
            }
        }
    }

    private static void ReadLog(byte[] message) => _ = GuestLogReader.Read(message);
}

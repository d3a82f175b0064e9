using System.Text;
using Hyperlight.Host.Wire;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>The worst messages: parts of a FlatBuffer can be shared, so that a small message could stand for a large one.</summary>
[TestFixture]
internal sealed class MessageWorkTests
{
    private const int TextLength = 1 << 20;

    [Test]
    public void A_log_record_whose_texts_are_one_text()
    {
        byte[] message = Message(slots: 6, fields: [0, 1, 3, 4]);

        (long allocated, GuestLogRecord record) = Count(() => GuestLogReader.Read(message));

        Assert.That(record.Message, Has.Length.EqualTo(TextLength));
        Assert.That(record.SourceFile, Has.Length.EqualTo(TextLength));
        Assert.That(allocated, Is.LessThan((4 * sizeof(char) * TextLength) + 100_000), "each of the four is decoded once");
    }

    [Test]
    public void A_call_with_a_million_arguments_that_are_one_argument()
    {
        byte[] message = CallWithSharedArgument(1 << 20);

        (long allocated, int count) = Count(() => new FunctionCallReader(message).ParameterCount);

        Assert.That(count, Is.EqualTo(1 << 20));
        Assert.That(allocated, Is.LessThan(10_000), "arguments are read only if the function takes so many");
    }

    private static (long Allocated, T Result) Count<T>(Func<T> action)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        T result = action();
        return (GC.GetAllocatedBytesForCurrentThread() - before, result);
    }

    /// <summary>A message whose root table has fields that all lead to one string.</summary>
    private static byte[] Message(int slots, int[] fields)
    {
        int vtableSize = 4 + (2 * slots);
        int vtable = 8;
        int table = (vtable + vtableSize + 3) & ~3;
        int tableSize = 4 + (4 * slots);
        int text = table + tableSize;
        byte[] message = new byte[text + 4 + TextLength + 4];
        Write32(message, 0, message.Length - 4);
        Write32(message, 4, table - 4);
        Write16(message, vtable, vtableSize);
        Write16(message, vtable + 2, tableSize);
        Write32(message, table, table - vtable);
        foreach (int field in fields)
        {
            int at = table + 4 + (4 * field);
            Write16(message, vtable + 4 + (2 * field), at - table);
            Write32(message, at, text - at);
        }

        Write32(message, text, TextLength);
        Encoding.ASCII.GetBytes(new string('x', TextLength)).CopyTo(message, text + 4);
        return message;
    }

    /// <summary>A FunctionCall whose vector of parameters leads to one table again and again.</summary>
    private static byte[] CallWithSharedArgument(int count)
    {
        const int vtable = 8, table = 20, name = 36, vector = 44;
        byte[] message = new byte[vector + 4 + (4 * count)];
        Write32(message, 0, message.Length - 4);
        Write32(message, 4, table - 4);
        foreach ((int at, int value) in new[] { (0, 10), (2, 16), (4, 4), (6, 8), (8, 12) })
        {
            Write16(message, vtable + at, value);
        }

        Write32(message, table, table - vtable);
        Write32(message, table + 4, name - (table + 4));
        Write32(message, table + 8, vector - (table + 8));
        message[table + 12] = 2;
        Write32(message, name, 1);
        message[name + 4] = (byte)'f';
        Write32(message, vector, count);
        for (int i = 0; i < count; i++)
        {
            int at = vector + 4 + (4 * i);
            Write32(message, at, table - at);
        }

        return message;
    }

    private static void Write16(byte[] message, int at, int value) => BitConverter.TryWriteBytes(message.AsSpan(at), (short)value);

    private static void Write32(byte[] message, int at, int value) => BitConverter.TryWriteBytes(message.AsSpan(at), value);
}

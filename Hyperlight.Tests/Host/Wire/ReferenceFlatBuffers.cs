using Google.FlatBuffers;

namespace Hyperlight.Tests.Host.Wire;

/// <summary>
/// The same messages through Google's FlatBuffers library: an independent reader and writer to compare with. Field numbers
/// are those of the schema; a field's vtable offset is 4 + 2 * its number.
/// </summary>
internal static class ReferenceFlatBuffers
{
    /// <summary>Opens the root table of a size-prefixed message.</summary>
    public static Table Root(byte[] message)
    {
        var buffer = new ByteBuffer(message) { Position = sizeof(int) };
        return new Table(buffer.GetInt(buffer.Position) + buffer.Position, buffer);
    }

    public static int Field(Table table, int slot) => table.__offset(4 + (2 * slot));

    public static byte Byte(Table table, int slot)
    {
        int offset = Field(table, slot);
        return offset == 0 ? (byte)0 : table.bb.Get(table.bb_pos + offset);
    }

    public static int Int(Table table, int slot)
    {
        int offset = Field(table, slot);
        return offset == 0 ? 0 : table.bb.GetInt(table.bb_pos + offset);
    }

    public static long Long(Table table, int slot)
    {
        int offset = Field(table, slot);
        return offset == 0 ? 0 : table.bb.GetLong(table.bb_pos + offset);
    }

    public static string String(Table table, int slot) => table.__string(table.bb_pos + Field(table, slot));

    public static byte[] Bytes(Table table, int slot) => table.__vector_as_array<byte>(4 + (2 * slot)) ?? [];

    public static Table Child(Table table, int slot) =>
        new(table.__indirect(table.bb_pos + Field(table, slot)), table.bb);

    public static Table Element(Table table, int slot, int index) =>
        new(table.__indirect(table.__vector(Field(table, slot)) + (index * sizeof(int))), table.bb);

    public static int Count(Table table, int slot)
    {
        int offset = Field(table, slot);
        return offset == 0 ? 0 : table.__vector_len(offset);
    }

    /// <summary>Builds a GuestLogData message.</summary>
    public static byte[] Log(string message, string source, byte level, string caller, string file, uint line)
    {
        var builder = new FlatBufferBuilder(64);
        StringOffset m = builder.CreateString(message), s = builder.CreateString(source),
            c = builder.CreateString(caller), f = builder.CreateString(file);
        builder.StartTable(6);
        builder.AddUint(5, line, 0);
        builder.AddOffset(4, f.Value, 0);
        builder.AddOffset(3, c.Value, 0);
        builder.AddOffset(1, s.Value, 0);
        builder.AddOffset(0, m.Value, 0);
        builder.AddByte(2, level, 0);
        builder.FinishSizePrefixed(builder.EndTable());
        return builder.SizedByteArray();
    }

    /// <summary>Builds a FunctionCallResult of bytes.</summary>
    public static byte[] BytesResult(byte[] bytes)
    {
        var builder = new FlatBufferBuilder(64);
        builder.StartVector(1, bytes.Length, 1);
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            builder.AddByte(bytes[i]);
        }

        VectorOffset vector = builder.EndVector();
        builder.StartTable(2);
        builder.AddOffset(1, vector.Value, 0);
        builder.AddInt(0, bytes.Length, 0);
        int value = builder.EndTable();
        return Finish(builder, Box(builder, 10, value));
    }

    /// <summary>Builds a FunctionCallResult of a string.</summary>
    public static byte[] StringResult(string text)
    {
        var builder = new FlatBufferBuilder(64);
        StringOffset offset = builder.CreateString(text);
        builder.StartTable(1);
        builder.AddOffset(0, offset.Value, 0);
        return Finish(builder, Box(builder, 7, builder.EndTable()));
    }

    /// <summary>Builds a FunctionCallResult of a 64-bit integer.</summary>
    public static byte[] LongResult(long value)
    {
        var builder = new FlatBufferBuilder(64);
        builder.StartTable(1);
        builder.AddLong(0, value, 0);
        return Finish(builder, Box(builder, 3, builder.EndTable()));
    }

    private static int Box(FlatBufferBuilder builder, byte type, int value)
    {
        builder.StartTable(2);
        builder.AddOffset(1, value, 0);
        builder.AddByte(0, type, 0);
        return builder.EndTable();
    }

    private static byte[] Finish(FlatBufferBuilder builder, int box)
    {
        builder.FinishSizePrefixed(Box(builder, 1, box));
        return builder.SizedByteArray();
    }
}

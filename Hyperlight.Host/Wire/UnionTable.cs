namespace Hyperlight.Host.Wire;

/// <summary>
/// A table that holds one union: its discriminator and the table it selects. Parameter, ReturnValueBox and
/// FunctionCallResult have this shape.
/// </summary>
internal static class UnionTable
{
    private const int TagSlot = 0;
    private const int ValueSlot = 1;

    public static long Write(ref FlatBufferWriter writer, byte tag, long value)
    {
        writer.StartTable();
        writer.AddOffset(ValueSlot, value);
        writer.AddByte(TagSlot, tag);
        return writer.EndTable();
    }

    public static byte ReadTag(FlatTable table) => table.GetByte(TagSlot);

    public static FlatTable ReadValue(FlatTable table, string field) => table.GetRequiredTable(ValueSlot, field);
}

namespace Hyperlight.Host.Wire;

/// <summary>Reads a GuestLogData message that a guest sent.</summary>
internal static class GuestLogReader
{
    private const int MessageSlot = 0;
    private const int SourceSlot = 1;
    private const int LevelSlot = 2;
    private const int CallerSlot = 3;
    private const int SourceFileSlot = 4;
    private const int LineSlot = 5;

    /// <param name="message">A private copy of the size-prefixed message.</param>
    /// <exception cref="GuestProtocolException">The message is malformed, or one of its four strings is missing.</exception>
    public static GuestLogRecord Read(ReadOnlySpan<byte> message)
    {
        FlatTable root = FlatTable.Root(message);
        byte level = root.GetByte(LevelSlot);
        if (level > (byte)WireLogLevel.None)
        {
            throw new GuestProtocolException($"A log record has the unknown level {level}.");
        }

        return new GuestLogRecord(
            (WireLogLevel)level,
            Required(root, MessageSlot, "message"),
            Required(root, SourceSlot, "source"),
            Required(root, CallerSlot, "caller"),
            Required(root, SourceFileSlot, "source_file"),
            root.GetUInt32(LineSlot));
    }

    private static string Required(FlatTable table, int slot, string field) =>
        FlatTable.DecodeUtf8(table.GetRequiredBytes(slot, $"GuestLogData.{field}"));
}

/// <summary>One log record of a guest.</summary>
internal readonly record struct GuestLogRecord(
    WireLogLevel Level, string Message, string Source, string Caller, string SourceFile, uint Line);

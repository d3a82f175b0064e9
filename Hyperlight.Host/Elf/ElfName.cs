using System.Buffers;
using System.Text;

namespace Hyperlight.Host.Elf;

/// <summary>Reads names from the file for messages: printable ASCII characters, and not longer than one line.</summary>
internal static class ElfName
{
    private const int LongestName = 200;
    private const string Unknown = "?";

    private static readonly SearchValues<byte> Printable =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static value => (byte)value)]);

    /// <summary>The name at an offset of a string table; other characters than printable ones are question marks.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="table">File offset of the string table.</param>
    /// <param name="tableSize">Its size in bytes.</param>
    /// <param name="offset">The name's offset in it.</param>
    /// <exception cref="GuestBinaryException">The table lies beyond the file's end.</exception>
    public static string Read(ElfReader elf, ulong table, ulong tableSize, ulong offset)
    {
        if (offset >= tableSize)
        {
            return Unknown;
        }

        ReadOnlySpan<byte> text = elf.Slice(table, tableSize, "a string table").Slice((int)offset);
        text = text[..Math.Min(text.Length, LongestName)];
        int end = text.IndexOf((byte)0);
        text = end < 0 ? text : text[..end];
        return text.ContainsAnyExcept(Printable)
            ? string.Concat(Encoding.Latin1.GetString(text).Select(static c => c is >= ' ' and <= '~' ? c : '?'))
            : Encoding.ASCII.GetString(text);
    }
}

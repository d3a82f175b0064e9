using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>Appends sections with symbols to an ELF file.</summary>
internal static class TestSymbols
{
    public const int Function = 2;
    public const int SymbolTable = 2;
    public const int DynamicSymbols = 11;

    private const int SectionHeaderSize = 64;

    /// <summary>One symbol: its type, the section it is in, its address and size.</summary>
    public readonly record struct Symbol(string Name, ulong Value, ulong Size, int Type = Function, ushort Section = 1)
    {
        /// <summary>The offset of the name, if it is not to be that of <see cref="Name"/>.</summary>
        public uint? NameOffset { get; init; }
    }

    /// <summary>The file with a table of symbols, their names, and section headers for both.</summary>
    /// <param name="elf">A file without sections.</param>
    /// <param name="symbols">The symbols.</param>
    /// <param name="type">The type of the section.</param>
    /// <param name="spoil">Changes the section headers: none, symbols, names.</param>
    public static byte[] AppendTo(byte[] elf, IReadOnlyList<Symbol> symbols, int type = SymbolTable, Action<byte[]>? spoil = null)
    {
        var names = new List<byte> { 0 };
        byte[] table = new byte[symbols.Count * 24];
        for (int i = 0; i < symbols.Count; i++)
        {
            Symbol symbol = symbols[i];
            Span<byte> entry = table.AsSpan(i * 24);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, symbol.NameOffset ?? (uint)names.Count);
            entry[4] = (byte)symbol.Type;
            BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], symbol.Section);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], symbol.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], symbol.Size);
            names.AddRange([.. Encoding.Latin1.GetBytes(symbol.Name), 0]);
        }

        byte[] headers = new byte[3 * SectionHeaderSize];
        WriteHeader(headers, 1, type, elf.Length, table.Length, link: 2);
        WriteHeader(headers, 2, type: 3, elf.Length + table.Length, names.Count, link: 0);
        spoil?.Invoke(headers);
        byte[] file = [.. elf, .. table, .. names, .. headers];
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(40), file.Length - headers.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), SectionHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), 3);
        return file;
    }

    public static void WriteHeader(byte[] headers, int index, int type, long offset, long size, int link)
    {
        Span<byte> header = headers.AsSpan(index * SectionHeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], type);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], size);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], link);
    }
}

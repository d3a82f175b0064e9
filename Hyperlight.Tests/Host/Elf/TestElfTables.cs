using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>The tables that a dynamic section names, one behind the other.</summary>
internal sealed class TestElfTables
{
    private readonly List<byte> _bytes = [];
    private readonly List<ulong> _section = [];
    private ulong _address;

    /// <summary>RELA entries: offset, type and symbol, addend.</summary>
    public List<(ulong Offset, ulong Info, ulong Addend)> Rela { get; set; } = [];

    /// <summary>RELA entries that only DT_JMPREL names.</summary>
    public List<(ulong Offset, ulong Info, ulong Addend)> Plt { get; init; } = [];

    /// <summary>RELR entries.</summary>
    public List<ulong> Relr { get; init; } = [];

    /// <summary>Symbols; the first one has the index 1.</summary>
    public List<(string Name, byte Info, ushort Section, ulong Value)> Symbols { get; init; } = [];

    /// <summary>Shared libraries.</summary>
    public List<string> Needed { get; init; } = [];

    /// <summary>Entries as they are, behind the others.</summary>
    public List<(ulong Tag, ulong Value)> Other { get; init; } = [];

    public bool IsEmpty => Rela.Count + Plt.Count + Relr.Count + Symbols.Count + Needed.Count + Other.Count == 0;

    /// <summary>Type and symbol of a RELA entry.</summary>
    public static ulong Info(uint type, uint symbol) => ((ulong)symbol << 32) | type;

    /// <summary>The tables' bytes, and the dynamic section that names them.</summary>
    public byte[] Build(ulong address, out byte[] dynamic)
    {
        _address = address;
        AddTable(7, 8, Words(Rela));
        AddTable(23, 2, Words(Plt));
        AddTable(36, 35, TestElf.Words([.. Relr]));
        if (Plt.Count > 0)
        {
            _section.AddRange([20, 7]);
        }

        AddSymbols();
        foreach ((ulong tag, ulong value) in Other)
        {
            _section.AddRange([tag, value]);
        }

        dynamic = TestElf.Words([.. _section, 0, 0]);
        return [.. _bytes];
    }

    private static byte[] Words(List<(ulong Offset, ulong Info, ulong Addend)> relocations) =>
        [.. relocations.SelectMany(r => TestElf.Words(r.Offset, r.Info, r.Addend))];

    private void AddTable(ulong addressTag, ulong sizeTag, byte[] table)
    {
        if (table.Length > 0)
        {
            _section.AddRange([addressTag, _address + (ulong)_bytes.Count, sizeTag, (ulong)table.Length]);
            _bytes.AddRange(table);
        }
    }

    private void AddSymbols()
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        int Name(string text)
        {
            int at = (int)strings.Length;
            strings.Write(Encoding.UTF8.GetBytes(text + "\0"));
            return at;
        }

        foreach (string library in Needed)
        {
            _section.AddRange([1, (ulong)Name(library)]);
        }

        byte[] symbols = new byte[24 * (Symbols.Count + 1)];
        for (int i = 0; i < Symbols.Count; i++)
        {
            Span<byte> symbol = symbols.AsSpan(24 * (i + 1));
            BinaryPrimitives.WriteInt32LittleEndian(symbol, Name(Symbols[i].Name));
            symbol[4] = Symbols[i].Info;
            BinaryPrimitives.WriteUInt16LittleEndian(symbol[6..], Symbols[i].Section);
            BinaryPrimitives.WriteUInt64LittleEndian(symbol[8..], Symbols[i].Value);
        }

        if (Symbols.Count > 0)
        {
            _section.AddRange([6, _address + (ulong)_bytes.Count, 11, 24]);
            _bytes.AddRange(symbols);
        }

        AddTable(5, 10, strings.ToArray());
    }
}

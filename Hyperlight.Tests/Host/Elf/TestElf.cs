using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Tests.Host.Elf;

/// <summary>Builds small ELF files, valid by default, with every field a test may want to spoil.</summary>
internal sealed class TestElf
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int SectionHeaderSize = 64;

    public byte Class { get; init; } = 2;

    public byte DataEncoding { get; init; } = 1;

    public ushort Type { get; init; } = 3;

    public ushort Machine { get; init; } = 62;

    public ulong Entry { get; init; }

    public ushort ProgramHeaderEntrySize { get; init; } = ProgramHeaderSize;

    public List<Segment> Segments { get; init; } = [];

    /// <summary>What the dynamic section is to name, if anything.</summary>
    public TestElfTables Tables { get; init; } = new();

    /// <summary>RELA entries: offset, type, addend.</summary>
    public List<(ulong Offset, ulong Info, ulong Addend)> Relocations { get => Tables.Rela; init => Tables.Rela = value; }

    /// <summary>Program headers besides PT_LOAD and PT_DYNAMIC: type, bytes in the file, bytes in memory.</summary>
    public List<(uint Type, ulong FileSize, ulong MemorySize)> OtherHeaders { get; init; } = [];

    /// <summary>The version in the note, or none.</summary>
    public string? Version { get; init; }

    /// <summary>One segment of code that starts at link-time address zero.</summary>
    public static TestElf OfCode(ReadOnlySpan<byte> code, string? version = null) =>
        new() { Segments = [new Segment(0, code.ToArray())], Version = version };

    public byte[] Build()
    {
        List<Segment> loads = [.. Segments];
        byte[] dynamic = [];
        if (!Tables.IsEmpty)
        {
            ulong address = loads.Max(s => s.Address + s.MemorySize) + 0xFFF & ~0xFFFUL;
            loads.Add(new Segment(address, Tables.Build(address, out dynamic)));
        }

        int headers = loads.Count + (dynamic.Length > 0 ? 1 : 0) + OtherHeaders.Count;
        int offset = HeaderSize + (headers * ProgramHeaderSize);
        var file = new MemoryStream();
        file.SetLength(offset);
        for (int i = 0; i < loads.Count; i++)
        {
            Segment load = loads[i];
            long at = Append(file, load.Data);
            WriteProgramHeader(file, i, 1, (ulong)at + load.FileOffsetError, load.Address, load.FileSize, load.MemorySize);
        }

        if (dynamic.Length > 0)
        {
            long at = Append(file, dynamic);
            WriteProgramHeader(file, loads.Count, 2, (ulong)at, 0, (ulong)dynamic.Length, (ulong)dynamic.Length);
        }

        for (int i = 0; i < OtherHeaders.Count; i++)
        {
            (uint type, ulong fileSize, ulong memorySize) = OtherHeaders[i];
            WriteProgramHeader(file, headers - OtherHeaders.Count + i, type, HeaderSize, 0, fileSize, memorySize);
        }

        long sections = 0;
        if (Version is not null)
        {
            sections = AppendSections(file, Version);
        }

        WriteHeader(file, headers, sections);
        return file.ToArray();
    }

    private static long AppendSections(MemoryStream file, string version)
    {
        byte[] names = "\0.note.hyperlight-version\0.shstrtab\0"u8.ToArray();
        byte[] descriptor = Encoding.UTF8.GetBytes(version + "\0");
        byte[] note = new byte[24 + ((descriptor.Length + 7) & ~7)];
        BinaryPrimitives.WriteInt32LittleEndian(note, 11);
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(4), descriptor.Length);
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(8), 1);
        "Hyperlight\0"u8.CopyTo(note.AsSpan(12));
        descriptor.CopyTo(note, 24);
        long notesAt = Append(file, note);
        long namesAt = Append(file, names);
        byte[] headers = new byte[3 * SectionHeaderSize];
        WriteSectionHeader(headers, 1, name: 1, type: 7, notesAt, note.Length);
        WriteSectionHeader(headers, 2, name: 26, type: 3, namesAt, names.Length);
        return Append(file, headers);
    }

    private static void WriteSectionHeader(byte[] headers, int index, int name, int type, long offset, int size)
    {
        Span<byte> header = headers.AsSpan(index * SectionHeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(header, name);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], type);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], size);
    }

    private static void WriteProgramHeader(
        MemoryStream file, int index, uint type, ulong offset, ulong address, ulong fileSize, ulong memorySize)
    {
        file.Position = HeaderSize + (index * ProgramHeaderSize);
        file.Write(BitConverter.GetBytes(type));
        file.Write(BitConverter.GetBytes(7u));
        file.Write(Words(offset, address, address, fileSize, memorySize, 0x1000));
    }

    private void WriteHeader(MemoryStream file, int programHeaders, long sections)
    {
        byte[] header = new byte[HeaderSize];
        ReadOnlySpan<byte> ident = [0x7F, (byte)'E', (byte)'L', (byte)'F', Class, DataEncoding, 1];
        ident.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(16), Type);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(18), Machine);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), Entry);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), HeaderSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), sections);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(52), HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(54), ProgramHeaderEntrySize);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(56), (ushort)programHeaders);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(58), SectionHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(60), (ushort)(sections == 0 ? 0 : 3));
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(62), (ushort)(sections == 0 ? 0 : 2));
        file.Position = 0;
        file.Write(header);
    }

    private static long Append(MemoryStream file, byte[] data)
    {
        file.Position = (file.Length + 7) & ~7L;
        long at = file.Position;
        file.Write(data);
        return at;
    }

    public static byte[] Words(params ulong[] words)
    {
        byte[] bytes = new byte[words.Length * sizeof(ulong)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), words[i]);
        }

        return bytes;
    }

    /// <summary>A PT_LOAD segment.</summary>
    internal sealed record Segment(ulong Address, byte[] Data)
    {
        public ulong FileSize { get; init; } = (ulong)Data.Length;

        public ulong MemorySize { get; init; } = (ulong)Data.Length;

        public ulong FileOffsetError { get; init; }
    }
}

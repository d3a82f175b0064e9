using System.Buffers.Binary;

namespace Hyperlight.Host.Elf;

/// <summary>Bounds-checked little-endian access to an ELF file; every violation names what was being read.</summary>
internal readonly ref struct ElfReader(ReadOnlySpan<byte> file, string source, ElfParsing parsing)
{
    private readonly ReadOnlySpan<byte> _file = file;

    public int Length => _file.Length;

    public string Source { get; } = source;

    public ReadOnlySpan<byte> Slice(ulong offset, ulong length, string what) =>
        offset <= (ulong)_file.Length && length <= (ulong)_file.Length - offset
            ? _file.Slice((int)offset, (int)length)
            : throw Invalid($"{what} ({length} bytes at offset 0x{offset:X}) lies beyond the file's {_file.Length} bytes.");

    public ushort UInt16(ulong offset, string what) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2, what));

    public uint UInt32(ulong offset, string what) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4, what));

    public ulong UInt64(ulong offset, string what) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8, what));

    /// <summary>
    /// Counts one table entry that is looked at. Entries have eight bytes or more, so that a file whose tables do not overlap
    /// needs far fewer steps than it has bytes.
    /// </summary>
    /// <exception cref="GuestBinaryException">There were more steps than the file has bytes.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Step()
    {
        if (parsing.Step() > _file.Length)
        {
            throw Invalid("its tables overlap so often that they have more entries than the file has bytes.");
        }
    }

    public GuestBinaryException Invalid(string problem) => new(Source, problem);
}

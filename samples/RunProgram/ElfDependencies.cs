using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Samples.RunProgram;

/// <summary>What an ELF file for x86-64 says it needs: its interpreter and libraries, and where to look for them.</summary>
/// <param name="Interpreter">The program interpreter (<c>PT_INTERP</c>); <see langword="null"/> for a static program or a library.</param>
/// <param name="Libraries">The names of libraries (<c>DT_NEEDED</c>).</param>
/// <param name="SearchPath">Directories (<c>DT_RUNPATH</c>, <c>DT_RPATH</c>), with <c>$ORIGIN</c> replaced.</param>
internal sealed record ElfDependencies(string? Interpreter, IReadOnlyList<string> Libraries, IReadOnlyList<string> SearchPath)
{
    private const int HeaderSize = 64;
    private const int SegmentSize = 56;
    private const int DynamicEntrySize = 16;

    private const uint LoadSegment = 1;
    private const uint DynamicSegment = 2;
    private const uint InterpreterSegment = 3;

    private const long NeededTag = 1;
    private const long StringsTag = 5;
    private const long SearchPathTag = 15;
    private const long RunSearchPathTag = 29;

    /// <summary>Reads a file. <see langword="null"/> if it is no ELF file for x86-64 or is malformed.</summary>
    public static ElfDependencies? TryRead(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (file.Length < HeaderSize || !file.AsSpan(0, 5).SequenceEqual("\x7F\x45\x4C\x46\x02"u8) || file[18] != 62)
        {
            return null;
        }

        try
        {
            return Read(file, Path.GetDirectoryName(path)!);
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ElfDependencies Read(byte[] file, string origin)
    {
        List<Segment> segments = [.. Segments(file)];
        string? interpreter = segments.FirstOrDefault(static segment => segment.Type == InterpreterSegment) is { Size: > 0 } named
            ? Text(file, named.Offset)
            : null;
        var libraries = new List<string>();
        var directories = new List<string>();
        List<(long Tag, long Value)> entries = [.. segments.Where(static segment => segment.Type == DynamicSegment).SelectMany(segment => Dynamic(file, segment))];
        if (entries.FirstOrDefault(static entry => entry.Tag == StringsTag).Value is var address and not 0)
        {
            long strings = OffsetOf(segments, address);
            libraries.AddRange(entries.Where(static entry => entry.Tag == NeededTag).Select(entry => Text(file, strings + entry.Value)));
            directories.AddRange(entries.Where(static entry => entry.Tag is SearchPathTag or RunSearchPathTag)
                .SelectMany(entry => Text(file, strings + entry.Value).Split(':', StringSplitOptions.RemoveEmptyEntries))
                .Select(directory => directory.Replace("$ORIGIN", origin, StringComparison.Ordinal).Replace("${ORIGIN}", origin, StringComparison.Ordinal)));
        }

        return new ElfDependencies(interpreter, libraries, directories);
    }

    private static IEnumerable<Segment> Segments(byte[] file)
    {
        long table = Word(file, 32);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56));
        for (int i = 0; i < count; i++)
        {
            long place = table + (i * SegmentSize);
            yield return new Segment((uint)(Word(file, place) & uint.MaxValue), Word(file, place + 8), Word(file, place + 16), Word(file, place + 32));
        }
    }

    private static IEnumerable<(long Tag, long Value)> Dynamic(byte[] file, Segment segment)
    {
        for (long place = segment.Offset; place < segment.Offset + segment.Size; place += DynamicEntrySize)
        {
            yield return (Word(file, place), Word(file, place + 8));
        }
    }

    private static long OffsetOf(List<Segment> segments, long address)
    {
        Segment segment = segments.First(segment => segment.Type == LoadSegment && address >= segment.Address && address - segment.Address < segment.Size);
        return segment.Offset + address - segment.Address;
    }

    private static string Text(byte[] file, long offset)
    {
        ReadOnlySpan<byte> rest = file.AsSpan(checked((int)offset));
        return Encoding.UTF8.GetString(rest[..Math.Max(rest.IndexOf((byte)0), 0)]);
    }

    private static long Word(byte[] file, long offset) => BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(checked((int)offset)));

    private readonly record struct Segment(uint Type, long Offset, long Address, long Size);
}

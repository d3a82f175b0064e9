using System.Buffers.Binary;
using System.Text;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>
/// Reads an image as the description of its format says, and checks every field. It shares no code with the writer.
/// </summary>
internal sealed class ReadImage
{
    private const int PageSize = 4096;
    private const int NodeSize = 64;
    private const int EntrySize = 16;
    private const uint TypeMask = 0xF000;
    private const uint Directory = 0x4000;
    private const uint Regular = 0x8000;
    private const uint SymbolicLink = 0xA000;

    private readonly byte[] _bytes;
    private readonly Dictionary<string, ReadNode> _nodes = [];
    private readonly Dictionary<uint, uint> _names = [];

    public ReadImage(string path)
        : this(File.ReadAllBytes(path))
    {
    }

    public ReadImage(byte[] bytes)
    {
        _bytes = bytes;
        Assert.That(Encoding.ASCII.GetString(bytes, 0, 8), Is.EqualTo("HLPIMAGE"));
        Assert.That(Word(8), Is.EqualTo(1));
        Assert.That((Long(16), bytes.Length % PageSize), Is.EqualTo(((long)bytes.Length, 0)));
        Assert.That(bytes.AsSpan(60, PageSize - 60).ContainsAnyExcept((byte)0), Is.False);
        ReadDirectory(0, 0, "");
        Assert.That(_names, Has.Count.EqualTo(NodeCount), "Each node has a name.");
        foreach ((uint number, uint count) in _names)
        {
            if ((Word(NodeOffset(number)) & TypeMask) != Directory)
            {
                Assert.That(Word(NodeOffset(number) + 4), Is.EqualTo(count), "The number of links.");
            }
        }
    }

    public int NodeCount => (int)Word(12);

    /// <summary>Everything in the image by its absolute path; the root's is empty.</summary>
    public IReadOnlyDictionary<string, ReadNode> Nodes => _nodes;

    public IEnumerable<string> Paths => _nodes.Keys.Where(static path => path.Length != 0).Order(StringComparer.Ordinal);

    public string Text(string path) => Encoding.UTF8.GetString(_nodes[path].Bytes);

    private void ReadDirectory(uint number, uint parent, string path)
    {
        int offset = NodeOffset(number);
        Assert.That(Word(offset + 48), Is.EqualTo(parent));
        Add(number, path);
        int first = (int)Long(offset + 40);
        int count = (int)Word(offset + 36);
        Assert.That(first + count, Is.LessThanOrEqualTo(Word(56)));
        uint links = 2;
        byte[] last = [];
        for (int i = 0; i < count; i++)
        {
            int entry = (int)Long(32) + ((first + i) * EntrySize);
            byte[] name = Name(Word(entry), BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(entry + 4)));
            Assert.That(last.AsSpan().SequenceCompareTo(name), Is.Negative, "Names are sorted, and none is there twice.");
            last = name;
            Assert.That(name.Length is > 0 and <= 255 && !name.Contains((byte)'/') && !name.Contains((byte)0));
            Assert.That((BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(entry + 6)), Word(entry + 12)), Is.EqualTo((0, 0)));
            string child = $"{path}/{Encoding.UTF8.GetString(name)}";
            uint node = Word(entry + 8);
            if ((Word(NodeOffset(node)) & TypeMask) == Directory)
            {
                links++;
                ReadDirectory(node, number, child);
            }
            else
            {
                Add(node, child);
            }
        }

        Assert.That(Word(offset + 4), Is.EqualTo(links));
    }

    private void Add(uint number, string path)
    {
        Assert.That(number, Is.LessThan(NodeCount));
        int offset = NodeOffset(number);
        uint mode = Word(offset);
        int size = (int)Long(offset + 16);
        var place = (int)Long(offset + 40);
        byte[] bytes = (mode & TypeMask) switch
        {
            Directory => [],
            Regular => Content(place, size),
            SymbolicLink => Name((uint)place, size),
            _ => throw new AssertionException($"The mode {mode:X} of {path}."),
        };
        Assert.That(_bytes.AsSpan(offset + 52, 12).ContainsAnyExcept((byte)0), Is.False);
        _names[number] = _names.GetValueOrDefault(number) + 1;
        _nodes.Add(path, new ReadNode((int)number + 1, mode, Word(offset + 8), Word(offset + 12), Long(offset + 24), Word(offset + 32), place, bytes));
    }

    private byte[] Content(int place, int size)
    {
        Assert.That(place % PageSize, Is.Zero);
        Assert.That(place, size == 0 ? Is.Zero : Is.GreaterThanOrEqualTo(PageSize));
        int end = (size + PageSize - 1) / PageSize * PageSize;
        Assert.That(_bytes.AsSpan(place + size, end - size).ContainsAnyExcept((byte)0), Is.False, "The rest of the last page is zero.");
        return _bytes[place..(place + size)];
    }

    private byte[] Name(uint offset, int length)
    {
        Assert.That(offset + length, Is.LessThanOrEqualTo(Long(48)));
        var start = (int)(Long(40) + offset);
        return _bytes[start..(start + length)];
    }

    private int NodeOffset(uint number) => (int)Long(24) + ((int)number * NodeSize);

    private uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private long Long(int offset) => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(offset));
}

/// <summary>A node of an image.</summary>
internal sealed record ReadNode(int Inode, uint Mode, uint User, uint Group, long Seconds, uint Nanoseconds, int Offset, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);
}

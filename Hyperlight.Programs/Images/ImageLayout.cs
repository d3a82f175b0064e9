using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hyperlight.Abstractions;

namespace Hyperlight.Programs.Images;

/// <summary>
/// Where everything is in an image: its first pages (header, nodes, directory entries and names), and the offsets of the files, whose
/// digests are known. The same tree has the same layout. The format is described in docs/programs.md.
/// </summary>
internal sealed class ImageLayout
{
    public const int NodeSize = 64;
    public const int EntrySize = 16;
    public const uint Version = 1;

    private const int DirectoryType = 0x4000;
    private const int RegularType = 0x8000;
    private const int LinkType = 0xA000;

    private readonly List<ImageNode> _nodes = [];
    private readonly Dictionary<ImageNode, int> _numbers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ImageNode, int> _links = new(ReferenceEqualityComparer.Instance);
    private readonly List<(int Name, int NameLength, int Node)> _entries = [];
    private readonly Dictionary<ImageNode, (int First, int Count)> _directories = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _nameBytes = new();
    private readonly List<(long Offset, ImageContent Content)> _contents = [];

    private ImageLayout(ImageTree tree)
    {
        Number(tree.Root);
        int entriesOffset = GuestPage.Size + (_nodes.Count * NodeSize);
        int namesOffset = entriesOffset + (_entries.Count * EntrySize);
        // Targets of links are added here, so that the size of the names is known below.
        foreach (ImageNode link in _nodes)
        {
            if (link.Target is { } target)
            {
                AddName(target);
            }
        }

        Head = new byte[GuestPage.RoundUp((ulong)namesOffset + (ulong)_nameBytes.WrittenCount)];
        Size = Head.Length;
        WriteNodes(Head.AsSpan(GuestPage.Size, _nodes.Count * NodeSize));
        WriteEntries(Head.AsSpan(entriesOffset));
        _nameBytes.WrittenSpan.CopyTo(Head.AsSpan(namesOffset));
        WriteHeader(entriesOffset, namesOffset);
        Digest = ComputeDigest();
    }

    /// <summary>The first pages.</summary>
    public byte[] Head { get; }

    /// <summary>The files, each content once, in the order of their offsets.</summary>
    public IReadOnlyList<(long Offset, ImageContent Content)> Contents => _contents;

    /// <summary>The size of the image in bytes.</summary>
    public long Size { get; private set; }

    /// <summary>The number of directories, files and links.</summary>
    public int Nodes => _nodes.Count;

    /// <summary>What identifies the image: the SHA-256 of its first pages and of the digests of the files, in hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>Lays out a tree, the digests of whose files are known.</summary>
    public static ImageLayout Create(ImageTree tree) => new(tree);

    private void Number(ImageNode root)
    {
        _numbers.Add(root, 0);
        _nodes.Add(root);
        for (int i = 0; i < _nodes.Count; i++)
        {
            if (_nodes[i].IsDirectory)
            {
                NumberChildren(_nodes[i]);
            }
        }
    }

    private void NumberChildren(ImageNode directory)
    {
        _links[directory] = 2 + directory.Children.Count(static child => child.Value.IsDirectory);
        _directories.Add(directory, (directory.Children.Count == 0 ? 0 : _entries.Count, directory.Children.Count));
        IEnumerable<(byte[] Bytes, string Name, ImageNode Node)> children = directory.Children
            .Select(static child => (Encoding.UTF8.GetBytes(child.Key), child.Key, child.Value))
            .Order(Comparer<(byte[] Bytes, string Name, ImageNode Node)>.Create(static (one, other) => one.Bytes.AsSpan().SequenceCompareTo(other.Bytes)));
        foreach ((byte[] bytes, string name, ImageNode child) in children)
        {
            if (!_numbers.TryGetValue(child, out int number))
            {
                number = _nodes.Count;
                _numbers.Add(child, number);
                _nodes.Add(child);
            }

            if (!child.IsDirectory)
            {
                _links[child] = _links.GetValueOrDefault(child) + 1;
            }

            _entries.Add((AddName(name), bytes.Length, number));
        }
    }

    private int AddName(string name)
    {
        if (!_names.TryGetValue(name, out int offset))
        {
            offset = _nameBytes.WrittenCount;
            _names.Add(name, offset);
            _nameBytes.Write(Encoding.UTF8.GetBytes(name));
        }

        return offset;
    }

    private void WriteNodes(Span<byte> nodes)
    {
        var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < _nodes.Count; i++)
        {
            ImageNode node = _nodes[i];
            Span<byte> record = nodes.Slice(i * NodeSize, NodeSize);
            int type = node.IsDirectory ? DirectoryType : node.Target is null ? RegularType : LinkType;
            BinaryPrimitives.WriteInt32LittleEndian(record, type | node.Attributes.Permissions);
            BinaryPrimitives.WriteInt32LittleEndian(record[4..], _links[node]);
            BinaryPrimitives.WriteUInt32LittleEndian(record[8..], node.Attributes.User);
            BinaryPrimitives.WriteUInt32LittleEndian(record[12..], node.Attributes.Group);
            BinaryPrimitives.WriteInt64LittleEndian(record[24..], node.Attributes.Seconds);
            BinaryPrimitives.WriteUInt32LittleEndian(record[32..], node.Attributes.Nanoseconds);
            (long size, long place) = node switch
            {
                { Content: { } content } => (content.Size, Place(content, offsets)),
                { Target: { } target } => (Encoding.UTF8.GetByteCount(target), _names[target]),
                _ => (0, _directories[node].First),
            };
            BinaryPrimitives.WriteInt64LittleEndian(record[16..], size);
            BinaryPrimitives.WriteInt64LittleEndian(record[40..], place);
            if (node.IsDirectory)
            {
                BinaryPrimitives.WriteInt32LittleEndian(record[36..], _directories[node].Count);
                BinaryPrimitives.WriteInt32LittleEndian(record[48..], node.Parent is null ? 0 : _numbers[node.Parent]);
            }
        }
    }

    /// <summary>The offset of a file's bytes. Files with the same bytes share them.</summary>
    private long Place(ImageContent content, Dictionary<string, long> offsets)
    {
        if (content.Size == 0)
        {
            return 0;
        }

        if (!offsets.TryGetValue(content.Digest!, out long offset))
        {
            offset = Size;
            offsets.Add(content.Digest!, offset);
            _contents.Add((offset, content));
            Size += (long)GuestPage.RoundUp((ulong)content.Size);
        }

        return offset;
    }

    private void WriteEntries(Span<byte> entries)
    {
        for (int i = 0; i < _entries.Count; i++)
        {
            Span<byte> record = entries.Slice(i * EntrySize, EntrySize);
            BinaryPrimitives.WriteInt32LittleEndian(record, _entries[i].Name);
            BinaryPrimitives.WriteUInt16LittleEndian(record[4..], (ushort)_entries[i].NameLength);
            BinaryPrimitives.WriteInt32LittleEndian(record[8..], _entries[i].Node);
        }
    }

    private void WriteHeader(int entriesOffset, int namesOffset)
    {
        Span<byte> header = Head;
        "HLPIMAGE"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], _nodes.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Size);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], GuestPage.Size);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], entriesOffset);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], namesOffset);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], _nameBytes.WrittenCount);
        BinaryPrimitives.WriteInt32LittleEndian(header[56..], _entries.Count);
    }

    private string ComputeDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Head);
        foreach ((_, ImageContent content) in _contents)
        {
            hash.AppendData(Encoding.ASCII.GetBytes(content.Digest!));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

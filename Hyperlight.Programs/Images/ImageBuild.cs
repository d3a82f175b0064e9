using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>The building of one image: the files that were added so far, and the limits.</summary>
internal sealed class ImageBuild : IDisposable
{
    /// <summary>The most bytes of all names and targets of links.</summary>
    private const long MaximumText = 128 << 20;

    private readonly string _name;
    private readonly ImageCache _cache;
    private readonly IProgress<ProgramImageProgress>? _progress;
    private readonly List<string> _leftOut = [];
    private ContentSpool? _spool;
    private int _entries;
    private long _bytes;
    private long _text;

    public ImageBuild(
        string name, ProgramImageOptions options, ImageCache cache, IProgress<ProgramImageProgress>? progress, CancellationToken cancellationToken)
    {
        _name = name;
        Options = options;
        _cache = cache;
        _progress = progress;
        CancellationToken = cancellationToken;
        Tree = new ImageTree(CountEntry);
    }

    public ProgramImageOptions Options { get; }

    public CancellationToken CancellationToken { get; }

    public ImageTree Tree { get; }

    /// <summary>Adds a directory.</summary>
    /// <exception cref="ProgramImageException">The path is invalid, or a limit is exceeded.</exception>
    public void AddDirectory(string path, NodeAttributes attributes) =>
        Check(path, Tree.AddDirectory(SplitNew(path), WithOptions(attributes)));

    /// <summary>Adds a regular file, whose digest is computed if it is not known.</summary>
    /// <inheritdoc cref="AddDirectory"/>
    public ImageNode AddFile(string path, NodeAttributes attributes, ImageContent content)
    {
        CountBytes(path, content.Size);
        content.Digest ??= ContentDigest.Copy(content, null, 0, CancellationToken);
        return AddContent(path, attributes, content);
    }

    /// <summary>Adds a regular file whose bytes are known.</summary>
    /// <inheritdoc cref="AddDirectory"/>
    public ImageNode AddContent(string path, NodeAttributes attributes, ImageContent content)
    {
        var node = ImageNode.File(WithOptions(attributes), content);
        Check(path, Tree.Add(SplitNew(path), node));
        _progress?.Report(new ProgramImageProgress(ProgramImageStage.Reading, path, _entries, _bytes, null));
        return node;
    }

    /// <summary>Adds a symbolic link.</summary>
    /// <inheritdoc cref="AddDirectory"/>
    public ImageNode AddLink(string path, NodeAttributes attributes, string target)
    {
        Check(path, ImagePath.CheckTarget(target));
        CountText(path, target);
        var node = ImageNode.Link(WithOptions(attributes) with { Permissions = NodeAttributes.LinkPermissions }, target);
        Check(path, Tree.Add(SplitNew(path), node));
        return node;
    }

    /// <summary>Gives a node another name.</summary>
    /// <inheritdoc cref="AddDirectory"/>
    public void AddName(string path, ImageNode node) => Check(path, Tree.Add(SplitNew(path), node));

    /// <summary>Gives the file at a path another name.</summary>
    /// <inheritdoc cref="AddDirectory"/>
    public void AddHardLink(string path, string existing)
    {
        string? problem = ImagePath.TrySplit(existing, out IReadOnlyList<string> names);
        Check(path, problem is null ? null : $"is a hard link to a path that {problem}");
        Check(path, Tree.AddHardLink(SplitNew(path), names));
    }

    /// <summary>Leaves an entry out, if the options say so.</summary>
    /// <exception cref="ProgramImageException">They do not.</exception>
    public void LeaveOut(string path, string description)
    {
        if (!Options.LeaveOutSpecialFiles)
        {
            throw Refuse(path, $"is {description}; images have directories, regular files and links");
        }

        CountText(path, path);
        _leftOut.Add($"{ProgramImageException.Printable(path)}: {description}");
    }

    /// <summary>Keeps the bytes of an entry of an archive until the image is written.</summary>
    /// <exception cref="ProgramImageException">A limit is exceeded.</exception>
    public ImageContent Keep(string path, Stream bytes, long size)
    {
        CountBytes(path, size);
        _spool ??= new ContentSpool(_cache.CreateTemporary());
        return _spool.Add(bytes, size, CancellationToken);
    }

    /// <summary>The names of a path in the image.</summary>
    /// <exception cref="ProgramImageException">The path is invalid.</exception>
    public IReadOnlyList<string> Split(string path)
    {
        Check(path, ImagePath.TrySplit(path, out IReadOnlyList<string> names));
        return names;
    }

    /// <summary>Counts text that is kept in memory until the image is written.</summary>
    /// <exception cref="ProgramImageException">There is too much of it.</exception>
    public void CountText(string path, string text)
    {
        _text += Encoding.UTF8.GetByteCount(text);
        if (_text > MaximumText)
        {
            throw Refuse(path, $"exceeds the limit of {MaximumText} bytes of all names and links");
        }
    }

    public ProgramImageException Refuse(string path, string problem, Exception? cause = null) => new(_name, problem, path, cause);

    public ProgramImageException Fail(string problem, Exception? cause = null) => new(_name, problem, null, cause);

    /// <summary>Writes the image, unless the cache has it.</summary>
    public ProgramImageFile Write()
    {
        ImageLayout layout = ImageLayout.Create(Tree);
        if (layout.Size > Options.MaximumSize)
        {
            throw Fail($"the image has {layout.Size} bytes, more than the limit of {Options.MaximumSize}");
        }

        bool isCached = _cache.Contains(layout.Digest, layout.Size);
        if (!isCached)
        {
            _cache.Add(layout.Digest, layout.Size, file => Write(file, layout));
        }

        _cache.MarkUsed(layout.Digest);

        return new ProgramImageFile(_cache.PathOf(layout.Digest), layout.Digest, layout.Size, layout.Nodes, isCached, _leftOut);
    }

    public void Dispose() => _spool?.Dispose();

    private void Write(SafeFileHandle file, ImageLayout layout)
    {
        RandomAccess.SetLength(file, layout.Size);
        RandomAccess.Write(file, layout.Head, 0);
        foreach ((long offset, ImageContent content) in layout.Contents)
        {
            if (ContentDigest.Copy(content, file, offset, CancellationToken) != content.Digest)
            {
                throw Fail("a file was changed while the image was built");
            }

            _progress?.Report(new ProgramImageProgress(ProgramImageStage.Writing, string.Empty, layout.Nodes, offset + content.Size, layout.Size));
        }
    }

    private NodeAttributes WithOptions(NodeAttributes attributes) => Options.ModificationTime is { } time
        ? NodeAttributes.Of((UnixFileMode)attributes.Permissions, time, attributes.User, attributes.Group)
        : attributes;

    private void Check(string path, string? problem)
    {
        if (problem is not null)
        {
            throw Refuse(path, problem);
        }
    }

    private void CountEntry()
    {
        CancellationToken.ThrowIfCancellationRequested();
        if (++_entries > Options.MaximumEntries)
        {
            throw Fail($"it has more than {Options.MaximumEntries} entries");
        }
    }

    private void CountBytes(string path, long size)
    {
        if (size < 0 || size > Options.MaximumSize - _bytes)
        {
            throw Refuse(path, $"exceeds the limit of {Options.MaximumSize} bytes of all files");
        }

        _bytes += size;
    }

    private IReadOnlyList<string> SplitNew(string path)
    {
        CountText(path, path);
        return Split(path);
    }
}

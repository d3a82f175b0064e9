namespace Hyperlight.Programs.Images;

/// <summary>A directory, a regular file or a symbolic link of an image. Hard links are several names of one node.</summary>
internal sealed class ImageNode
{
    private readonly Dictionary<string, ImageNode>? _children;

    private ImageNode(NodeAttributes attributes, Dictionary<string, ImageNode>? children)
    {
        Attributes = attributes;
        _children = children;
    }

    public NodeAttributes Attributes { get; set; }

    /// <summary>The bytes of a regular file; <see langword="null"/> for others.</summary>
    public ImageContent? Content { get; private init; }

    /// <summary>The target of a symbolic link; <see langword="null"/> for others.</summary>
    public string? Target { get; private init; }

    /// <summary>The directory that a directory is in; <see langword="null"/> for the root and for others.</summary>
    public ImageNode? Parent { get; private set; }

    public bool IsDirectory => _children is not null;

    /// <summary>The names in a directory.</summary>
    public IReadOnlyDictionary<string, ImageNode> Children => _children ?? throw new InvalidOperationException("It is not a directory.");

    public static ImageNode Directory(NodeAttributes attributes) => new(attributes, new Dictionary<string, ImageNode>(StringComparer.Ordinal));

    public static ImageNode File(NodeAttributes attributes, ImageContent content) => new(attributes, null) { Content = content };

    public static ImageNode Link(NodeAttributes attributes, string target) => new(attributes, null) { Target = target };

    /// <summary>Adds a name, or replaces what it names.</summary>
    public void Set(string name, ImageNode child)
    {
        _children![name] = child;
        if (child.IsDirectory)
        {
            child.Parent = this;
        }
    }

    public void Remove(string name) => _children!.Remove(name);

    public void Clear() => _children!.Clear();
}

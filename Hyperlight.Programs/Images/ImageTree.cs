namespace Hyperlight.Programs.Images;

/// <summary>
/// The files of an image while it is built. Parents that are symbolic links are followed inside the tree, as the program would: a
/// layer may name <c>lib/x</c> where <c>lib</c> leads to <c>usr/lib</c>. Nothing leads out of the tree.
/// </summary>
/// <param name="checkEntry">Called for each node that is created; throws if there are too many.</param>
internal sealed class ImageTree(Action checkEntry)
{
    private const int MaximumLinks = 40;

    public ImageNode Root { get; } = ImageNode.Directory(NodeAttributes.ImplicitDirectory);

    /// <summary>Adds a directory, or changes the attributes of one that is there.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public string? AddDirectory(IReadOnlyList<string> path, NodeAttributes attributes)
    {
        if (path.Count == 0)
        {
            Root.Attributes = attributes;
            return null;
        }

        if (TryFindParent(path, create: true, out ImageNode? parent) is { } problem)
        {
            return problem;
        }

        if (parent!.Children.TryGetValue(path[^1], out ImageNode? present) && present.IsDirectory)
        {
            present.Attributes = attributes;
            return null;
        }

        Create(parent, path[^1], ImageNode.Directory(attributes));
        return null;
    }

    /// <summary>Adds a file or a link, or replaces what is there.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public string? Add(IReadOnlyList<string> path, ImageNode node)
    {
        if (path.Count == 0)
        {
            return "is the root, which must be a directory";
        }

        string? problem = TryFindParent(path, create: true, out ImageNode? parent);
        if (problem is null)
        {
            Create(parent!, path[^1], node);
        }

        return problem;
    }

    /// <summary>Gives a file another name.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public string? AddHardLink(IReadOnlyList<string> path, IReadOnlyList<string> existing)
    {
        if (TryFind(existing) is not { } node)
        {
            return "is a hard link to a file that is not there";
        }

        return node.IsDirectory ? "is a hard link to a directory" : Add(path, node);
    }

    /// <summary>Removes what is at a path, with everything in it.</summary>
    public void Remove(IReadOnlyList<string> path)
    {
        if (path.Count != 0 && TryFindParent(path, create: false, out ImageNode? parent) is null)
        {
            parent?.Remove(path[^1]);
        }
    }

    /// <summary>Removes everything in a directory.</summary>
    public void Clear(IReadOnlyList<string> path)
    {
        if (TryFind(path) is { IsDirectory: true } directory)
        {
            directory.Clear();
        }
    }

    /// <summary>What is at a path; a link itself.</summary>
    public ImageNode? TryFind(IReadOnlyList<string> path)
    {
        if (path.Count == 0)
        {
            return Root;
        }

        return TryFindParent(path, create: false, out ImageNode? parent) is null ? parent?.Children.GetValueOrDefault(path[^1]) : null;
    }

    private void Create(ImageNode parent, string name, ImageNode node)
    {
        checkEntry();
        parent.Set(name, node);
    }

    private string? TryFindParent(IReadOnlyList<string> path, bool create, out ImageNode? parent)
    {
        parent = null;
        ImageNode current = Root;
        int links = 0;
        var names = new Stack<string>(path.SkipLast(1).Reverse());
        while (names.TryPop(out string? name))
        {
            if (name == "..")
            {
                current = current.Parent ?? Root;
                continue;
            }

            if (!current.Children.TryGetValue(name, out ImageNode? child))
            {
                if (!create)
                {
                    return null;
                }

                Create(current, name, child = ImageNode.Directory(NodeAttributes.ImplicitDirectory));
            }

            if (child.Target is { } target)
            {
                if (++links > MaximumLinks)
                {
                    return "has a parent that leads over too many symbolic links";
                }

                current = target.StartsWith('/') ? Root : current;
                foreach (string part in target.Split('/').Reverse().Where(static part => part is not ("" or ".")))
                {
                    names.Push(part);
                }
            }
            else if (child.IsDirectory)
            {
                current = child;
            }
            else
            {
                return "has a parent that is a file";
            }
        }

        parent = current;
        return null;
    }
}

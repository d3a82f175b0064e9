namespace Hyperlight.Programs.Images;

/// <summary>Files of the host or of the application at given paths of the image.</summary>
internal sealed class FilesSource(IReadOnlyList<(string Path, ProgramFile File)> files) : ImageSource
{
    /// <summary>Checks the paths and makes them relative; sorted, so that their order has no effect.</summary>
    /// <exception cref="ArgumentException">A path is not absolute.</exception>
    public static FilesSource Create(IEnumerable<KeyValuePair<string, ProgramFile>> files) => new(
        [.. files.Select(static file => (RelativePath(file.Key), file.Value)).OrderBy(static file => file.Item1, StringComparer.Ordinal)]);

    public override void AddTo(ImageBuild build)
    {
        var host = new HostFiles(build);

        // Links first: a file may be placed in a directory that is a link.
        foreach ((string path, ProgramFile file) in files.OrderBy(static file => file.File.LinkTarget is null))
        {
            if (file.HostPath is { } hostPath)
            {
                host.Add(hostPath, path);
            }
            else if (file.LinkTarget is { } target)
            {
                build.AddLink(path, file.Attributes, target);
            }
            else
            {
                build.AddFile(path, file.Attributes, new MemoryContent(file.Bytes));
            }
        }
    }

    private static string RelativePath(string path) => path.StartsWith('/') && path.Length > 1
        ? path.TrimStart('/')
        : throw new ArgumentException($"'{path}' is not an absolute path of a file in the image.", nameof(path));
}

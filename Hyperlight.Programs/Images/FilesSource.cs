namespace Hyperlight.Programs.Images;

/// <summary>Files of the host or of the application at given paths of the image.</summary>
internal sealed class FilesSource(IReadOnlyList<(string Path, ProgramFile File)> files) : ImageSource
{
    /// <summary>
    /// Checks the paths and makes them relative. They are sorted, so that their order has no effect, links first: a file may be placed in
    /// a directory that is a link.
    /// </summary>
    /// <exception cref="ArgumentException">A path is not absolute.</exception>
    public static FilesSource Create(IEnumerable<KeyValuePair<string, ProgramFile>> files) => new(
        [.. files.Select(static file => (Path: RelativePath(file.Key), File: file.Value))
            .OrderBy(static file => file.File.LinkTarget is null).ThenBy(static file => file.Path, StringComparer.Ordinal)]);

    public override void AddTo(ImageBuild build)
    {
        var host = new HostFiles(build);
        foreach ((string path, ProgramFile file) in files)
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

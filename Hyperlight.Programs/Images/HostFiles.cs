using Hyperlight.Host.Files;

namespace Hyperlight.Programs.Images;

/// <summary>
/// Adds files and directories of the host. Links in directories stay links; nothing outside of a directory is read. Owners are not kept:
/// they are the root's. Hard links and modes are kept where the platform has them.
/// </summary>
internal sealed class HostFiles(ImageBuild build)
{
    // 0755: a platform without modes does not say what can be executed.
    private const UnixFileMode DefaultMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly Dictionary<(ulong Device, ulong Inode), ImageNode> _files = [];

    /// <summary>Adds a file, or a directory with all that is in it.</summary>
    /// <param name="hostPath">The path on the host. A link is followed here, and nowhere else.</param>
    /// <param name="imagePath">The path in the image, without a leading slash.</param>
    /// <exception cref="ProgramImageException">Something cannot be read, or cannot be in an image.</exception>
    public void Add(string hostPath, string imagePath)
    {
        string current = imagePath;
        try
        {
            FileSystemInfo info = Directory.Exists(hostPath) ? new DirectoryInfo(hostPath) : new FileInfo(hostPath);
            FileSystemInfo target = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
            var pending = new Stack<(string Host, string Image)>([(target.FullName, imagePath)]);
            while (pending.TryPop(out (string Host, string Image) next))
            {
                current = next.Image;
                AddOne(next.Host, next.Image, pending);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw build.Refuse(current, $"cannot be read: {exception.Message.TrimEnd('.')}", exception);
        }
    }

    private void AddOne(string host, string image, Stack<(string Host, string Image)> pending)
    {
        build.CancellationToken.ThrowIfCancellationRequested();
        FileStatus? status = FileStatus.IsSupported
            ? FileStatus.TryGet(host) ?? throw new FileNotFoundException($"There is no file '{host}'", host)
            : null;
        var file = new FileInfo(host);
        NodeAttributes attributes = AttributesOf(file, status);
        if (status is { IsRegular: false, IsDirectory: false, IsLink: false } other)
        {
            build.LeaveOut(image, other.Description);
        }
        else if (file.LinkTarget is { } target)
        {
            AddName(image, status, () => build.AddLink(image, attributes, target));
        }
        else if (Directory.Exists(host))
        {
            build.AddDirectory(image, attributes);
            foreach (string path in Directory.EnumerateFileSystemEntries(host))
            {
                pending.Push((path, $"{image}/{Path.GetFileName(path)}".TrimStart('/')));
            }
        }
        else
        {
            AddName(image, status, () => build.AddFile(image, attributes, new HostFileContent(host, file.Length, status?.Identity)));
        }
    }

    /// <summary>Adds a file, or another name of one that was added.</summary>
    private void AddName(string image, FileStatus? status, Func<ImageNode> add)
    {
        if (status is not { Links: > 1 } linked)
        {
            add();
        }
        else if (_files.TryGetValue(linked.Identity, out ImageNode? node))
        {
            build.AddName(image, node);
        }
        else
        {
            _files.Add(linked.Identity, add());
        }
    }

    private static NodeAttributes AttributesOf(FileInfo file, FileStatus? status)
    {
        if (status is { } known)
        {
            return new NodeAttributes(known.Mode & NodeAttributes.PermissionBits, 0, 0, known.ModifiedSeconds, known.ModifiedNanoseconds);
        }

        UnixFileMode mode = OperatingSystem.IsWindows() ? DefaultMode : file.UnixFileMode;
        return NodeAttributes.Of(mode, file.LastWriteTimeUtc);
    }
}

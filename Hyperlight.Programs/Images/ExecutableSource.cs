namespace Hyperlight.Programs.Images;

/// <summary>One executable of the host, which all users may execute whatever its mode is.</summary>
internal sealed class ExecutableSource(string hostPath, string imagePath) : ImageSource
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute
        | UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public override void AddTo(ImageBuild build)
    {
        if (Directory.Exists(hostPath))
        {
            throw build.Fail("it is a directory");
        }

        new HostFiles(build).Add(hostPath, imagePath);
        if (build.Tree.TryFind(build.Split(imagePath)) is not { Content.Size: > 0 } node)
        {
            throw build.Fail("it is empty, or not a regular file");
        }

        node.Attributes = node.Attributes with { Permissions = node.Attributes.Permissions | (int)Executable };
    }
}

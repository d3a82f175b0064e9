namespace Hyperlight.Programs.Images;

/// <summary>A directory of the host, which becomes the root of the image.</summary>
internal sealed class DirectorySource(string path) : ImageSource
{
    public override void AddTo(ImageBuild build)
    {
        if (!Directory.Exists(path))
        {
            throw build.Fail("there is no such directory");
        }

        new HostFiles(build).Add(path, string.Empty);
    }
}

using Hyperlight.Host.Files;

namespace Hyperlight.Programs.Images;

/// <summary>A tar archive of the host.</summary>
internal sealed class TarSource(string path) : ImageSource
{
    public override void AddTo(ImageBuild build)
    {
        using var file = new FileStream(RegularFile.Open(path), FileAccess.Read);
        foreach (ArchiveEntry entry in new ArchiveReader(build).Read(file))
        {
            entry.AddTo(build);
        }
    }
}

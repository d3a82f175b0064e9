using System.Formats.Tar;

namespace Hyperlight.Programs.Images;

/// <summary>An entry of a tar archive.</summary>
/// <param name="Path">The path, as the archive has it.</param>
/// <param name="Type">What it is: a directory, a regular file, a symbolic or a hard link.</param>
/// <param name="Attributes">Its mode, owners and time.</param>
/// <param name="Target">Where a link leads to.</param>
/// <param name="Content">The bytes of a regular file.</param>
internal sealed record ArchiveEntry(string Path, TarEntryType Type, NodeAttributes Attributes, string Target, ImageContent? Content)
{
    /// <summary>Adds it to an image.</summary>
    /// <exception cref="ProgramImageException">It is invalid there.</exception>
    public void AddTo(ImageBuild build)
    {
        switch (Type)
        {
            case TarEntryType.Directory:
                build.AddDirectory(Path, Attributes);
                break;
            case TarEntryType.SymbolicLink:
                build.AddLink(Path, Attributes, Target);
                break;
            case TarEntryType.HardLink:
                build.AddHardLink(Path, Target);
                break;
            default:
                build.AddContent(Path, Attributes, Content!);
                break;
        }
    }
}

using System.Text;
using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>A file, a directory or a symbolic link that is placed in an image. Immutable.</summary>
public sealed class ProgramFile
{
    private const UnixFileMode ReadableByAll =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode ExecutableByAll = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private ProgramFile()
    {
    }

    /// <summary>The file or directory of the host.</summary>
    internal string? HostPath { get; private init; }

    /// <summary>The target of a link.</summary>
    internal string? LinkTarget { get; private init; }

    /// <summary>The content of a file that is neither.</summary>
    internal ReadOnlyMemory<byte> Bytes { get; private init; }

    /// <summary>What a file that is not one of the host has.</summary>
    internal NodeAttributes Attributes { get; private init; }

    /// <summary>A file of the host with its mode and modification time, or a directory with everything in it.</summary>
    /// <param name="path">The path on the host. If it is a symbolic link, it is followed; links in a directory stay links.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ProgramFile FromPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ProgramFile { HostPath = path };
    }

    /// <summary>A regular file of the given bytes. Its modification time is 1970-01-01.</summary>
    /// <param name="bytes">The content. It must not be changed before the image is built.</param>
    /// <param name="isExecutable">Whether all users may execute the file: its mode is 0755 then, and 0644 otherwise.</param>
    public static ProgramFile FromBytes(ReadOnlyMemory<byte> bytes, bool isExecutable = false) => new()
    {
        Bytes = bytes,
        Attributes = NodeAttributes.Of(isExecutable ? ReadableByAll | ExecutableByAll : ReadableByAll, DateTimeOffset.UnixEpoch),
    };

    /// <summary>A regular file of the given text in UTF-8. Its modification time is 1970-01-01.</summary>
    /// <param name="text">The content.</param>
    /// <param name="isExecutable">Whether all users may execute the file: its mode is 0755 then, and 0644 otherwise.</param>
    public static ProgramFile FromText(string text, bool isExecutable = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return FromBytes(Encoding.UTF8.GetBytes(text), isExecutable);
    }

    /// <summary>A symbolic link. The program follows it inside the image; the host does not.</summary>
    /// <param name="target">Where it leads to: an absolute path in the image, or one that is relative to the link.</param>
    /// <exception cref="ArgumentException">The target is empty.</exception>
    public static ProgramFile LinkTo(string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        return new ProgramFile { LinkTarget = target, Attributes = NodeAttributes.Of(default, DateTimeOffset.UnixEpoch) };
    }
}

using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>The bytes of a regular file, which are read twice: for the image's name, and to write it.</summary>
internal abstract class ImageContent(long size)
{
    /// <summary>The number of bytes.</summary>
    public long Size { get; } = size;

    /// <summary>The SHA-256 of the bytes, in hexadecimal, once it is known.</summary>
    public string? Digest { get; set; }

    /// <summary>Opens the bytes for reading from their start.</summary>
    /// <exception cref="IOException">They cannot be read, or are other ones now.</exception>
    public abstract Stream Open();
}

/// <summary>Bytes of the application.</summary>
internal sealed class MemoryContent(ReadOnlyMemory<byte> bytes) : ImageContent(bytes.Length)
{
    private readonly byte[] _bytes = bytes.ToArray();

    public override Stream Open() => new MemoryStream(_bytes, writable: false);
}

/// <summary>A file of the host.</summary>
/// <param name="path">The file.</param>
/// <param name="size">Its size.</param>
/// <param name="identity">Which file it is, where the platform says so: another one that was put in its place is not read.</param>
internal sealed class HostFileContent(string path, long size, (ulong Device, ulong Inode)? identity) : ImageContent(size)
{
    public override Stream Open()
    {
        SafeFileHandle file = RegularFile.Open(path);
        try
        {
            if (RandomAccess.GetLength(file) != Size || (identity is { } known && FileStatus.Get(file, path).Identity != known))
            {
                throw new IOException($"'{path}' was changed while it was read.");
            }

            return new FileStream(file, FileAccess.Read, bufferSize: 0);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}

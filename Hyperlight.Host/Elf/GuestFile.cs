using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Elf;

/// <summary>Reads a guest's file. Whatever else stands at its path is refused with what it is and what to do.</summary>
internal static class GuestFile
{
    private const long LargestFile = 1L << 30;
    private const int ChunkSize = 1 << 20;

    /// <exception cref="GuestBinaryException">The file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static byte[] Read(string path, CancellationToken cancellationToken)
    {
        try
        {
            using SafeFileHandle file = RegularFile.Open(path);
            long length = RandomAccess.GetLength(file);
            CheckSize(length, path);
            var content = new byte[length];
            for (int done = 0; done < content.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = RandomAccess.Read(file, content.AsSpan(done, Math.Min(ChunkSize, content.Length - done)), done);
                if (read == 0)
                {
                    throw new GuestBinaryException(path, "it was shortened while it was read. Load it again.");
                }

                done += read;
            }

            return content;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new GuestBinaryException(path, $"it cannot be read: {exception.Message} {Remedy(exception)}", exception);
        }
    }

    /// <exception cref="GuestBinaryException">The file is larger than a guest can be.</exception>
    public static void CheckSize(long length, string source)
    {
        if (length > LargestFile)
        {
            throw new GuestBinaryException(
                source, $"it has {length} bytes, and at most {LargestFile} are read. Hand large data to the guest as init data or a mapped file.");
        }
    }

    private static string Remedy(Exception exception) => exception is UnauthorizedAccessException
        ? "Give this process the permission to read it."
        : "Give the path of an ELF file.";
}

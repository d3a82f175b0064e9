using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>Reads the bytes of a file of an image, and finds out their digest.</summary>
internal static class ContentDigest
{
    private const int BufferSize = 1 << 20;

    /// <summary>The SHA-256 of a content, which is written to a file on the way if there is one.</summary>
    /// <returns>The digest in hexadecimal.</returns>
    /// <exception cref="IOException">The bytes cannot be read, or there are other than expected.</exception>
    public static string Copy(ImageContent content, SafeFileHandle? destination, long offset, CancellationToken cancellationToken)
    {
        using Stream source = content.Open();
        return Copy(source, content.Size, destination, offset, cancellationToken);
    }

    /// <inheritdoc cref="Copy(ImageContent, SafeFileHandle?, long, CancellationToken)"/>
    public static string Copy(Stream source, long size, SafeFileHandle? destination, long offset, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferSize, Math.Max(size, 1)));
        try
        {
            long left = size;
            while (left > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = source.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                if (count == 0)
                {
                    throw new EndOfStreamException($"It has {size - left} bytes instead of {size}.");
                }

                hash.AppendData(buffer, 0, count);
                if (destination is not null)
                {
                    RandomAccess.Write(destination, buffer.AsSpan(0, count), offset + size - left);
                }

                left -= count;
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

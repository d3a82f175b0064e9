using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>A temporary file for the bytes of archives, which can be read once only.</summary>
internal sealed class ContentSpool(SafeFileHandle file) : IDisposable
{
    private long _end;

    /// <summary>Takes bytes from a stream.</summary>
    /// <exception cref="IOException">There are fewer than expected, or they cannot be kept.</exception>
    public ImageContent Add(Stream bytes, long size, CancellationToken cancellationToken)
    {
        long offset = _end;
        _end += size;
        return new Content(file, offset, size) { Digest = ContentDigest.Copy(bytes, size, file, offset, cancellationToken) };
    }

    public void Dispose() => file.Dispose();

    private sealed class Content(SafeFileHandle file, long offset, long size) : ImageContent(size)
    {
        public override Stream Open() => new Section(file, offset, Size);
    }

    /// <summary>A part of the file.</summary>
    private sealed class Section(SafeFileHandle file, long offset, long size) : ForwardStream
    {
        private long _position;

        public override int Read(Span<byte> buffer)
        {
            int count = RandomAccess.Read(file, buffer[..(int)Math.Min(buffer.Length, size - _position)], offset + _position);
            _position += count;
            return count;
        }
    }
}

namespace Hyperlight.Programs.Images;

/// <summary>Counts what is read of an archive.</summary>
internal sealed class BoundedStream(Stream source, ArchiveBounds bounds, bool isCompressed) : ForwardStream
{
    public override int Read(Span<byte> buffer)
    {
        int count = source.Read(buffer);
        if (isCompressed)
        {
            bounds.AddCompressed(count);
        }
        else if (buffer.Length != 0)
        {
            bounds.AddExpanded(count);
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}

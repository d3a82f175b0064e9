namespace Hyperlight.Programs.Images;

/// <summary>What the reading of an archive may take: how much a compressed byte may stand for, and how large a header may be.</summary>
internal sealed class ArchiveBounds(ProgramImageOptions options)
{
    /// <summary>The most bytes of one entry's headers: extended attributes and long names.</summary>
    private const long MaximumHeader = 1 << 20;

    /// <summary>What an archive may always expand to, so that the ratio is one of more than a few blocks.</summary>
    private const long Unlimited = 16 << 20;

    private long _compressed;
    private long _expanded;
    private long _headerLeft = long.MaxValue;

    /// <summary>Whether the archive's bytes have ended.</summary>
    public bool IsAtEnd { get; private set; }

    public void BeginHeader() => _headerLeft = MaximumHeader;

    public void EndHeader() => _headerLeft = long.MaxValue;

    public void AddCompressed(int count) => _compressed += count;

    /// <exception cref="InvalidDataException">A bound is exceeded.</exception>
    public void AddExpanded(int count)
    {
        IsAtEnd |= count == 0;
        _expanded += count;
        if (_compressed != 0 && _expanded > Unlimited && _expanded / options.MaximumCompressionRatio > _compressed)
        {
            throw new InvalidDataException($"it expands to more than {options.MaximumCompressionRatio} times its size");
        }

        _headerLeft -= count;
        if (_headerLeft < 0)
        {
            throw new InvalidDataException($"a header has more than {MaximumHeader} bytes");
        }
    }
}

namespace Hyperlight.Programs;

/// <summary>How an image is built, and what it may contain. Immutable.</summary>
public sealed record ProgramImageOptions
{
    /// <summary>The largest <see cref="MaximumSize"/>, in bytes: 4 GiB.</summary>
    public const long LargestSize = 0x1_0000_0000;

    /// <summary>The largest <see cref="MaximumEntries"/>.</summary>
    public const int MostEntries = 4_000_000;

    /// <summary>The largest <see cref="MaximumCompressionRatio"/>, which is above what gzip reaches.</summary>
    public const int LargestCompressionRatio = 2000;

    /// <summary>The default options.</summary>
    public static ProgramImageOptions Default { get; } = new();

    /// <summary>
    /// The directory of image files. It is created for the process's user alone (mode 0700); one that other users may write to is
    /// refused, except on Windows. Default, with <see langword="null"/>: <c>hyperlight/images</c> in <c>$XDG_CACHE_HOME</c>, or else in
    /// <c>.cache</c> of the home directory; on Windows in the local application data.
    /// </summary>
    public string? CacheDirectory { get; init; }

    /// <summary>
    /// Bytes that the image may have, and bytes that its files may have together before they are made into an image. Default and
    /// maximum: <see cref="LargestSize"/>. Archives of untrusted origin fill the disk up to this size.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or above <see cref="LargestSize"/>.</exception>
    public long MaximumSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaximumSize));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestSize, nameof(MaximumSize));
            field = value;
        }
    } = LargestSize;

    /// <summary>
    /// The number of directories, files and links that may be added, those that are replaced or removed by a layer included. They are
    /// in memory while the image is built. Default 250,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or above <see cref="MostEntries"/>.</exception>
    public int MaximumEntries
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaximumEntries));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostEntries, nameof(MaximumEntries));
            field = value;
        }
    } = 250_000;

    /// <summary>
    /// How many bytes a byte of a compressed archive may stand for, once 16 MiB were read. Default 200.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or above <see cref="LargestCompressionRatio"/>.</exception>
    public int MaximumCompressionRatio
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaximumCompressionRatio));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestCompressionRatio, nameof(MaximumCompressionRatio));
            field = value;
        }
    } = 200;

    /// <summary>
    /// The modification time of everything in the image. Default, with <see langword="null"/>: that of the files, so that an image
    /// changes if only a time does.
    /// </summary>
    public DateTimeOffset? ModificationTime { get; init; }

    /// <summary>
    /// Whether devices, pipes and sockets are left out; <see cref="ProgramImageFile.LeftOut"/> names them. Default <see
    /// langword="false"/>: they are a <see cref="ProgramImageException"/>.
    /// </summary>
    public bool LeaveOutSpecialFiles { get; init; }
}

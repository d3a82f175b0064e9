using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>Removes image files that are not needed any more: nothing else does. Thread-safe.</summary>
public static class ProgramImageCache
{
    /// <summary>
    /// Removes images of a cache directory: those that were not used for a time, and then, until the others do not exceed a size, those
    /// whose last use is the longest ago. Images that a runner of any process uses are kept, whatever their age and size. A
    /// removed image is built again when it is needed.
    /// </summary>
    /// <param name="unusedFor">For how long an image was not used, at least, to be removed; <see langword="null"/> for no limit.</param>
    /// <param name="mostBytes">The bytes that the images may have together; <see langword="null"/> for no limit.</param>
    /// <param name="cacheDirectory">The directory. Default: that of <see cref="ProgramImageOptions.CacheDirectory"/>.</param>
    /// <returns>What was removed, and what is left.</returns>
    /// <exception cref="ArgumentException">There is neither limit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is negative.</exception>
    /// <exception cref="IOException">The directory cannot be read, or other users may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be read.</exception>
    public static ProgramImageCleaning Clean(TimeSpan? unusedFor = null, long? mostBytes = null, string? cacheDirectory = null)
    {
        if (unusedFor is null && mostBytes is null)
        {
            throw new ArgumentException("State for how long images were not used, or how many bytes they may have.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(unusedFor ?? TimeSpan.Zero, TimeSpan.Zero, nameof(unusedFor));
        ArgumentOutOfRangeException.ThrowIfNegative(mostBytes ?? 0, nameof(mostBytes));
        return ImageCache.Open(cacheDirectory).Clean(unusedFor ?? TimeSpan.MaxValue, mostBytes ?? long.MaxValue);
    }
}

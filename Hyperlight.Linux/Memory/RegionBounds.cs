using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Hyperlight.Linux;

/// <summary>The bounds check of every access to a memory region.</summary>
internal static class RegionBounds
{
    /// <summary>Refuses a range that leaves its region.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check(nuint offset, nuint length, nuint size)
    {
        if (offset > size || length > size - offset)
        {
            Throw(offset, length, size);
        }
    }

    [DoesNotReturn]
    private static void Throw(nuint offset, nuint length, nuint size) => throw new ArgumentOutOfRangeException(
        nameof(offset), $"The range of {length} bytes at offset {offset} leaves the region of {size} bytes.");
}

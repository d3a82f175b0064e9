using System.Numerics;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Linux;

/// <summary>The bounds check against arithmetic that cannot overflow.</summary>
internal sealed class RegionBoundsProperties
{
    [FsCheck.NUnit.Property]
    public bool RangeIsRefusedExactlyWhenItLeavesTheRegion(ulong offset, ulong length, ulong size) =>
        Agrees(offset, length, size);

    /// <summary>Values around the ends of the address space, where sums wrap.</summary>
    [Test]
    public void SoAreTheEdges()
    {
        ulong[] edges = [0, 1, 4095, 4096, 4097, ulong.MaxValue / 2, ulong.MaxValue - 4096, ulong.MaxValue - 1, ulong.MaxValue];
        foreach (ulong offset in edges)
        {
            foreach (ulong length in edges)
            {
                foreach (ulong size in edges)
                {
                    Assert.That(Agrees(offset, length, size), Is.True, $"{offset}, {length}, {size}");
                }
            }
        }
    }

    private static bool Agrees(ulong offset, ulong length, ulong size)
    {
        bool fits = (BigInteger)offset + length <= size;
        try
        {
            RegionBounds.Check((nuint)offset, (nuint)length, (nuint)size);
            return fits;
        }
        catch (ArgumentOutOfRangeException)
        {
            return !fits;
        }
    }
}

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// The property Default_Ignorable_Code_Point of Unicode: code points that are not displayed where they have no other effect,
/// such as variation selectors and fillers. Their categories are various, and some are reserved for characters that do not
/// exist yet. The set is that of DerivedCoreProperties.txt, and does not change with Unicode versions by much: whole ranges
/// are reserved.
/// </summary>
internal static class DefaultIgnorable
{
    /// <summary>First and last code points, in ascending order.</summary>
    private static readonly (int First, int Last)[] Ranges =
    [
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    ];

    public static bool Contains(int codePoint)
    {
        foreach ((int first, int last) in Ranges)
        {
            if (codePoint <= last)
            {
                return codePoint >= first;
            }
        }

        return false;
    }
}

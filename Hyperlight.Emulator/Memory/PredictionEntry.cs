using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>One prediction. Its two parts are in one line of the host's cache. Compiled code knows the offsets.</summary>
/// <param name="Tag">The address of the guest's page.</param>
/// <param name="Page">The address of the host's.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PredictionEntry(ulong Tag, ulong Page)
{
    public const int Size = 2 * sizeof(ulong);
    public const int TagOffset = 0;
    public const int PageOffset = sizeof(ulong);
}

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The sizes of the payload sweep.</summary>
internal static class PayloadSizes
{
    /// <summary>All of them, in bytes.</summary>
    public static IReadOnlyList<int> All { get; } = [64, 4 << 10, 64 << 10, 1 << 20, 16 << 20];

    /// <summary>
    /// Those of the quick mode, without the largest: where KVM executes privileged guest code by emulation, 16 MiB take
    /// several seconds.
    /// </summary>
    public static IReadOnlyList<int> Quick { get; } = [.. All.Where(s => s <= 1 << 20)];
}

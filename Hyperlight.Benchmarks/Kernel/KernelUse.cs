namespace Hyperlight.Benchmarks.Kernel;

/// <summary>What a driver has asked of its kernel so far. Times are in ticks of the stopwatch.</summary>
/// <param name="Ioctls">How many ioctls returned.</param>
/// <param name="RunTicks">Time inside the ioctl that runs the guest.</param>
/// <param name="OtherTicks">Time inside all other calls: other ioctls, close, mmap and so on.</param>
internal readonly record struct KernelUse(long Ioctls, long RunTicks, long OtherTicks)
{
    /// <summary>What was added since an earlier reading.</summary>
    public KernelUse Since(KernelUse earlier) =>
        new(Ioctls - earlier.Ioctls, RunTicks - earlier.RunTicks, OtherTicks - earlier.OtherTicks);
}

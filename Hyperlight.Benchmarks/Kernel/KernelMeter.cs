namespace Hyperlight.Benchmarks.Kernel;

/// <summary>Adds up what a driver asks of its kernel, from any thread.</summary>
internal sealed class KernelMeter
{
    private long _ioctls;
    private long _runTicks;
    private long _otherTicks;

    /// <summary>Notes an ioctl that ran the guest.</summary>
    /// <param name="ticks">How long it took.</param>
    public void AddRun(long ticks)
    {
        Interlocked.Increment(ref _ioctls);
        Interlocked.Add(ref _runTicks, ticks);
    }

    /// <summary>Notes another ioctl.</summary>
    /// <param name="ticks">How long it took.</param>
    public void AddIoctl(long ticks)
    {
        Interlocked.Increment(ref _ioctls);
        AddOther(ticks);
    }

    /// <summary>Notes a call that is not an ioctl.</summary>
    /// <param name="ticks">How long it took.</param>
    public void AddOther(long ticks) => Interlocked.Add(ref _otherTicks, ticks);

    /// <summary>The sums so far.</summary>
    public KernelUse Read() =>
        new(Interlocked.Read(ref _ioctls), Interlocked.Read(ref _runTicks), Interlocked.Read(ref _otherTicks));
}

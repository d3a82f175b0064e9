namespace Hyperlight.Linux;

/// <summary>
/// The kick signal blocked in the calling thread. Afterwards the thread's signals are what they were: a process that it
/// starts inherits nothing.
/// </summary>
internal readonly ref struct BlockedKick
{
    private readonly ILinuxKernel _kernel;
    private readonly string _driver;
    private readonly ulong _previous;

    /// <summary>Blocks the signal.</summary>
    /// <param name="kernel">The kernel to ask.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="signal">The signal.</param>
    /// <exception cref="HypervisorException">It cannot be blocked.</exception>
    public BlockedKick(ILinuxKernel kernel, string driver, KickSignal signal)
    {
        int result = kernel.BlockSignals(signal.Set, out _previous);
        if (result < 0)
        {
            throw Errno.ToException(driver, "rt_sigprocmask", -result);
        }

        _kernel = kernel;
        _driver = driver;
        RunMask = _previous & ~signal.Set;
    }

    /// <summary>The signals that stay blocked while a guest runs: what the thread blocks anyway, without the kick signal.</summary>
    public ulong RunMask { get; }

    /// <summary>Blocks what the thread blocked before, and nothing else. No kick signal may be pending.</summary>
    /// <exception cref="HypervisorException">The kernel refused.</exception>
    public void Dispose()
    {
        int result = _kernel.SetBlockedSignals(_previous);
        if (result < 0)
        {
            throw Errno.ToException(_driver, "rt_sigprocmask", -result);
        }
    }
}

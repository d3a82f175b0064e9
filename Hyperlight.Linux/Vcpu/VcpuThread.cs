namespace Hyperlight.Linux;

/// <summary>
/// What a thread needs in order to run vCPUs: its number, and the kick signal blocked. Set up at the thread's first run and
/// never undone; a process that the thread starts later inherits the blocked signal, which nothing else uses.
/// </summary>
internal sealed class VcpuThread
{
    [ThreadStatic]
    private static VcpuThread? _current;

    private readonly ILinuxKernel _kernel;

    private VcpuThread(ILinuxKernel kernel, int id, ulong runSignalMask)
    {
        _kernel = kernel;
        Id = id;
        RunSignalMask = runSignalMask;
    }

    /// <summary>The kernel's number of the thread.</summary>
    public int Id { get; }

    /// <summary>The signals that stay blocked while a guest runs: what the thread blocked anyway, without the kick signal.</summary>
    public ulong RunSignalMask { get; }

    /// <summary>The calling thread.</summary>
    /// <param name="kernel">The kernel it runs on.</param>
    /// <param name="driver">The driver's name, for errors.</param>
    /// <exception cref="HypervisorException">The signal cannot be blocked.</exception>
    public static VcpuThread Current(ILinuxKernel kernel, string driver)
    {
        VcpuThread? current = _current;
        return current is not null && ReferenceEquals(current._kernel, kernel) ? current : SetUp(kernel, driver);
    }

    private static VcpuThread SetUp(ILinuxKernel kernel, string driver)
    {
        int result = kernel.BlockSignals(KickSignal.Set, out ulong previous);
        if (result < 0)
        {
            throw Errno.ToException(driver, "rt_sigprocmask", -result);
        }

        return _current = new VcpuThread(kernel, kernel.GetThreadId(), previous & ~KickSignal.Set);
    }
}

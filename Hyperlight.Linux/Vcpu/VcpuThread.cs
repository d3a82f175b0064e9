namespace Hyperlight.Linux;

/// <summary>The kernel's numbers of the threads that run vCPUs, each asked for once.</summary>
internal static class VcpuThread
{
    [ThreadStatic]
    private static int _id;

    [ThreadStatic]
    private static ILinuxKernel? _kernel;

    /// <summary>The calling thread's number.</summary>
    /// <param name="kernel">The kernel it runs on.</param>
    public static int CurrentId(ILinuxKernel kernel)
    {
        if (!ReferenceEquals(_kernel, kernel))
        {
            _id = kernel.GetThreadId();
            _kernel = kernel;
        }

        return _id;
    }
}

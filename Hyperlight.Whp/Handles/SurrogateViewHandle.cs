using System.Runtime.InteropServices;

namespace Hyperlight.Whp;

/// <summary>
/// A view of a section in a surrogate process; its value is the view's address there. It keeps the section and the handle of
/// the process alive.
/// </summary>
internal sealed class SurrogateViewHandle : WindowsHandle
{
    private readonly SafeHandle _host;
    private readonly Surrogate _surrogate;

    /// <summary>Takes ownership of a view.</summary>
    /// <param name="kernel">The kernel that mapped it.</param>
    /// <param name="address">Its address in the process.</param>
    /// <param name="surrogate">The process.</param>
    /// <param name="host">The view of the same section in this process.</param>
    public SurrogateViewHandle(IWindowsKernel kernel, nint address, Surrogate surrogate, SafeHandle host)
        : base(kernel, address, origin: null)
    {
        _surrogate = surrogate;
        _host = host;
        bool added = false;
        host.DangerousAddRef(ref added);
        added = false;
        surrogate.Process.DangerousAddRef(ref added);
    }

    /// <summary>The view of the same section in this process.</summary>
    public SafeHandle Host => _host;

    /// <summary>Unmaps the view; that of a process which has ended is gone already.</summary>
    protected override (string Call, int Error) Release() =>
        ("UnmapViewOfFile2", _surrogate.HasEnded ? 0 : Kernel.UnmapViewInProcess(_surrogate.Process.DangerousGetHandle(), handle));

    protected override void ReleaseDependents()
    {
        _surrogate.Process.DangerousRelease();
        _host.DangerousRelease();
    }
}

using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>
/// A resource of the kernel. A child keeps its parent alive, so that the kernel sees the right order of releases whatever
/// the order of disposal. A release that fails is remembered, for the owner to report.
/// </summary>
internal abstract class KernelHandle : SafeHandle
{
    private readonly SafeHandle? _parent;
    private ReleaseFailure? _failure;

    protected KernelHandle(ILinuxKernel kernel, nint invalid, nint value, SafeHandle? parent)
        : base(invalid, ownsHandle: true)
    {
        Kernel = kernel;
        if (parent is not null)
        {
            bool added = false;
            parent.DangerousAddRef(ref added);
            _parent = parent;
        }

        SetHandle(value);
    }

    /// <summary>The kernel that owns the resource.</summary>
    protected ILinuxKernel Kernel { get; }

    /// <summary>The failure of the release, if it happened and failed; a second call returns <see langword="null"/>.</summary>
    public ReleaseFailure? TakeReleaseFailure() => Interlocked.Exchange(ref _failure, null);

    /// <summary>Gives the resource back.</summary>
    /// <returns>A negative errno on failure.</returns>
    protected abstract int Release(out string operation);

    /// <summary>Lets go of what the resource kept alive, once it is gone.</summary>
    protected virtual void ReleaseDependents()
    {
    }

    protected sealed override bool ReleaseHandle()
    {
        int result = Release(out string operation);
        if (result < 0)
        {
            _failure = new ReleaseFailure(operation, -result);
        }

        ReleaseDependents();
        _parent?.DangerousRelease();
        return result >= 0;
    }
}

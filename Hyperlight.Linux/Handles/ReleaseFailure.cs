using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>A release that the kernel refused.</summary>
/// <param name="Operation">The call.</param>
/// <param name="Error">A positive errno.</param>
internal sealed record ReleaseFailure(string Operation, int Error);

/// <summary>
/// Releases one resource after the other, whatever goes wrong, and reports the first failure at the end. Used by every
/// Dispose method; never by a finalizer.
/// </summary>
internal struct ReleaseFailures
{
    private ReleaseFailure? _first;

    /// <summary>The first failure, if there was one.</summary>
    public readonly ReleaseFailure? First => _first;

    /// <summary>Disposes a resource.</summary>
    public void Dispose(SafeHandle handle)
    {
        handle.Dispose();
        Note(handle);
    }

    /// <summary>Keeps the failure of a resource that may just have been released.</summary>
    public void Note(SafeHandle handle)
    {
        if (handle is KernelHandle kernelHandle && kernelHandle.TakeReleaseFailure() is { } failure)
        {
            _first ??= failure;
        }
    }

    /// <summary>Takes over a failure that was kept from earlier releases.</summary>
    public void Add(in ReleaseFailures earlier) => _first ??= earlier._first;

    /// <summary>Throws if a release failed.</summary>
    /// <exception cref="HypervisorException">The first failure.</exception>
    public readonly void ThrowIfAny(string driver)
    {
        if (_first is not null)
        {
            throw Errno.ToException(driver, _first.Operation, _first.Error);
        }
    }
}

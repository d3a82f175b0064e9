using System.Runtime.InteropServices;

namespace Hyperlight.Whp;

/// <summary>The first failure of several releases, which is reported when all of them are done.</summary>
internal struct ReleaseFailures
{
    /// <summary>The first failure as an exception; <see langword="null"/> if there was none.</summary>
    public HypervisorException? First { get; private set; }

    /// <summary>Disposes a resource.</summary>
    public void Dispose(SafeHandle handle)
    {
        handle.Dispose();
        Note(handle);
    }

    /// <summary>Keeps the failure of a resource that may just have been released.</summary>
    public void Note(SafeHandle handle)
    {
        if (handle is WindowsHandle { ReleaseFailure: { } failure })
        {
            First ??= WhpError.CreateWin32(failure.Error, failure.Call);
        }
        else if (handle is PartitionHandle { ReleaseFailure: { } result })
        {
            First ??= WhpError.Create(result, "WHvDeletePartition");
        }
    }

    /// <summary>Keeps a failure.</summary>
    public void Add(HypervisorException? failure) => First ??= failure;

    /// <summary>Throws if a release failed.</summary>
    /// <exception cref="HypervisorException">The first failure.</exception>
    public readonly void ThrowIfAny()
    {
        if (First is not null)
        {
            throw First;
        }
    }
}

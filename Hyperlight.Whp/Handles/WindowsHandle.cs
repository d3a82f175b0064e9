using System.Runtime.InteropServices;

namespace Hyperlight.Whp;

/// <summary>
/// A resource of Windows. It owns the resource it was made from, which is released after it. A release that fails is
/// remembered, for the owner to report.
/// </summary>
internal abstract class WindowsHandle : SafeHandle
{
    private readonly WindowsHandle? _origin;
    private volatile bool _isReleased;

    protected WindowsHandle(IWindowsKernel kernel, nint value, WindowsHandle? origin)
        : base(0, ownsHandle: true)
    {
        Kernel = kernel;
        _origin = origin;
        SetHandle(value);
    }

    public override bool IsInvalid => handle is 0 or -1;

    /// <summary>Whether the last holder has let go.</summary>
    public bool IsReleased => _isReleased;

    protected IWindowsKernel Kernel { get; }

    /// <summary>The call that failed when this or its origins were released, and its Win32 error; <see langword="null"/> if none did.</summary>
    public (string Call, int Error)? ReleaseFailure { get; private set; }

    /// <summary>Gives the resource back.</summary>
    /// <returns>The call's name and its Win32 error code, 0 for success.</returns>
    protected abstract (string Call, int Error) Release();

    /// <summary>Releases what the resource has kept alive without owning it.</summary>
    protected virtual void ReleaseDependents()
    {
    }

    protected sealed override bool ReleaseHandle()
    {
        _isReleased = true;
        (string Call, int Error) result = Release();
        ReleaseDependents();
        _origin?.Dispose();
        ReleaseFailure = result.Error != 0 ? result : _origin?.ReleaseFailure;
        return result.Error == 0;
    }
}

/// <summary>An open file.</summary>
internal sealed class FileHandle(IWindowsKernel kernel, nint value) : WindowsHandle(kernel, value, origin: null)
{
    protected override (string Call, int Error) Release() => ("CloseHandle", Kernel.CloseHandle(handle));
}

/// <summary>A section of a file or of memory, which a surrogate process may map too.</summary>
internal sealed class SectionHandle(IWindowsKernel kernel, nint value, FileHandle? file = null) : WindowsHandle(kernel, value, file)
{
    protected override (string Call, int Error) Release() => ("CloseHandle", Kernel.CloseHandle(handle));
}

/// <summary>A view of a section in this process; its value is the address of the first usable byte.</summary>
internal sealed class ViewHandle(IWindowsKernel kernel, nint value, SectionHandle section, int guard = 0)
    : WindowsHandle(kernel, value + guard, section)
{
    protected override (string Call, int Error) Release()
    {
        SectionViews.Remove(handle);
        return ("UnmapViewOfFile", Kernel.UnmapView(handle - guard));
    }
}

/// <summary>A process or a job.</summary>
internal sealed class ObjectHandle(IWindowsKernel kernel, nint value) : WindowsHandle(kernel, value, origin: null)
{
    protected override (string Call, int Error) Release() => ("CloseHandle", Kernel.CloseHandle(handle));
}

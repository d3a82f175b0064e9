using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>A section of zero-filled memory, and a view of it whose first and last page are inaccessible.</summary>
/// <param name="Section">The section; it lives as long as the view.</param>
/// <param name="View">The view, which is the one owner of both.</param>
internal sealed record SectionMemory(SectionHandle Section, ViewHandle View)
{
    /// <summary>Allocates memory.</summary>
    /// <param name="kernel">Windows.</param>
    /// <param name="size">Usable bytes, a multiple of a page.</param>
    /// <exception cref="HypervisorException">Windows refused; nothing is left behind.</exception>
    public static SectionMemory Allocate(IWindowsKernel kernel, nuint size)
    {
        WhpError.CheckWin32(kernel.CreateMemorySection(size + (2 * GuestPage.Size), out nint created), "CreateFileMappingW");
        SectionHandle section = new(kernel, created);
        WindowsHandle last = section;
        try
        {
            WhpError.CheckWin32(kernel.MapWritableView(created, out nint address), "MapViewOfFile");
            ViewHandle view = new(kernel, address, section, GuestPage.Size);
            last = view;
            WhpError.CheckWin32(kernel.Protect(address, GuestPage.Size, Kernel32.PAGE_NOACCESS), "VirtualProtect");
            WhpError.CheckWin32(
                kernel.Protect(address + GuestPage.Size + (nint)size, GuestPage.Size, Kernel32.PAGE_NOACCESS), "VirtualProtect");
            return new SectionMemory(section, view);
        }
        catch
        {
            last.Dispose();
            throw;
        }
    }

    /// <summary>Throws if the memory was released and Windows reported an error.</summary>
    /// <exception cref="HypervisorException">It did.</exception>
    public void Release()
    {
        ReleaseFailures failures = default;
        failures.Dispose(View);
        failures.ThrowIfAny();
    }
}

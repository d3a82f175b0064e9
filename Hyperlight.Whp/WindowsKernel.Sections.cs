using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Sections of memory, and their views in this process and others.</summary>
internal sealed unsafe partial class WindowsKernel
{
    public int CreateMemorySection(nuint size, out nint section)
    {
        section = Kernel32.CreateFileMappingW(
            Kernel32.INVALID_HANDLE_VALUE, null, Kernel32.PAGE_READWRITE, (uint)((ulong)size >> 32), (uint)size, name: null);
        return section != 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public int MapWritableView(nint section, out nint address)
    {
        address = Kernel32.MapViewOfFile(section, Kernel32.FILE_MAP_READ | Kernel32.FILE_MAP_WRITE, 0, 0, 0);
        return address != 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public int Protect(nint address, nuint size, uint protection)
    {
        // SAFETY: a local of the call's type; the caller owns the pages.
        uint former;
        return Result(Kernel32.VirtualProtect(address, size, protection, &former));
    }

    public int MapViewInProcess(nint section, nint process, uint protection, out nint address)
    {
        address = Kernel32.MapViewOfFile3(section, process, 0, 0, 0, 0, protection, null, 0);
        return address != 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public int ProtectInProcess(nint process, nint address, nuint size, uint protection)
    {
        // SAFETY: a local of the call's type; the pages are another process's, which does not run.
        uint former;
        return Result(Kernel32.VirtualProtectEx(process, address, size, protection, &former));
    }

    public int UnmapViewInProcess(nint process, nint address) => Result(Kernel32.UnmapViewOfFile2(process, address, 0));
}

using System.Runtime.InteropServices;
using Hyperlight.Whp.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Whp;

/// <summary>The Windows this process runs on.</summary>
internal sealed unsafe partial class WindowsKernel : IWindowsKernel
{
    /// <summary>The one instance.</summary>
    public static readonly WindowsKernel Instance = new();

    private WindowsKernel()
    {
    }

    public string? UnsupportedPlatform
    {
        get
        {
            if (!OperatingSystem.IsWindows())
            {
                return $"This is {RuntimeInformation.OSDescription}, not Windows.";
            }

            return RuntimeInformation.ProcessArchitecture == Architecture.X64
                ? null
                : $"This process is {RuntimeInformation.ProcessArchitecture}, not x64.";
        }
    }

    public int OpenFile(string path, out nint file)
    {
        const uint Share = Kernel32.FILE_SHARE_READ | Kernel32.FILE_SHARE_WRITE | Kernel32.FILE_SHARE_DELETE;
        // SAFETY: a string ends in NUL, and Windows only reads it.
        fixed (char* name = path)
        {
            file = Kernel32.CreateFileW(
                name, Kernel32.GENERIC_READ, Share, null, Kernel32.OPEN_EXISTING, Kernel32.FILE_FLAG_RANDOM_ACCESS, 0);
        }

        return file != Kernel32.INVALID_HANDLE_VALUE ? 0 : Marshal.GetLastPInvokeError();
    }

    public int OpenProgram(string path, out SafeFileHandle file)
    {
        const uint Flags = Kernel32.FILE_FLAG_OPEN_REPARSE_POINT;
        nint opened;
        // SAFETY: a string ends in NUL, and Windows only reads it.
        fixed (char* name = path)
        {
            opened = Kernel32.CreateFileW(
                name, Kernel32.GENERIC_READ, Kernel32.FILE_SHARE_READ, null, Kernel32.OPEN_EXISTING, Flags, 0);
        }

        int error = opened != Kernel32.INVALID_HANDLE_VALUE ? 0 : Marshal.GetLastPInvokeError();
        file = new SafeFileHandle(opened, ownsHandle: true);
        if (error != 0)
        {
            return error;
        }

        ByHandleFileInformation information;
        // SAFETY: a local of the call's type.
        error = Result(Kernel32.GetFileInformationByHandle(opened, &information));
        return error != 0 || (information.FileAttributes & Kernel32.FILE_ATTRIBUTE_REPARSE_POINT) == 0
            ? error
            : Kernel32.ERROR_CANT_RESOLVE_FILENAME;
    }

    public bool IsDiskFile(nint file) => Kernel32.GetFileType(file) == Kernel32.FILE_TYPE_DISK;

    public int GetFileSize(nint file, out long size)
    {
        long result = 0;
        // SAFETY: a local of the call's type.
        int error = Result(Kernel32.GetFileSizeEx(file, &result));
        size = result;
        return error;
    }

    public int ReadFile(nint file, long offset, Span<byte> buffer, out int read)
    {
        uint count = 0;
        Interop.Overlapped position = new() { Offset = (uint)offset, OffsetHigh = (uint)(offset >> 32) };
        // SAFETY: the span is pinned, its length is what Windows may fill, and the call returns when it is done.
        fixed (byte* pointer = buffer)
        {
            int error = Result(Kernel32.ReadFile(file, pointer, (uint)buffer.Length, &count, &position));
            read = (int)count;
            return error == Kernel32.ERROR_HANDLE_EOF ? 0 : error;
        }
    }

    public int CreateReadOnlySection(nint file, long size, out nint section)
    {
        section = 0;
        SecurityDescriptor descriptor;
        // SAFETY: locals of the calls' types; the section keeps a copy of the descriptor.
        int error = Result(Advapi32.InitializeSecurityDescriptor(&descriptor, Advapi32.SECURITY_DESCRIPTOR_REVISION));
        if (error != 0)
        {
            return error;
        }

        error = Result(Advapi32.SetSecurityDescriptorDacl(&descriptor, daclPresent: 1, dacl: null, daclDefaulted: 0));
        if (error != 0)
        {
            return error;
        }

        SecurityAttributes attributes = new()
        {
            Length = (uint)sizeof(SecurityAttributes),
            SecurityDescriptor = &descriptor,
        };
        section = Kernel32.CreateFileMappingW(
            file, &attributes, Kernel32.PAGE_READONLY, (uint)(size >> 32), (uint)size, name: null);
        return section != 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public int MapReadView(nint section, out nint address)
    {
        address = Kernel32.MapViewOfFile(section, Kernel32.FILE_MAP_READ, 0, 0, 0);
        return address != 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public int UnmapView(nint address) => Result(Kernel32.UnmapViewOfFile(address));

    public int CloseHandle(nint handle) => Result(Kernel32.CloseHandle(handle));

    private static int Result(int success) => success != 0 ? 0 : Marshal.GetLastPInvokeError();
}

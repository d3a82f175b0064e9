using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Compilation.X64.Interop;

/// <summary>Memory of Windows that is at two addresses: it can be written at one and executed at the other.</summary>
internal static partial class WindowsMemory
{
    private const uint PageExecuteReadWrite = 0x40;
    private const uint ViewWrite = 2;
    private const uint ViewReadExecute = 4 | 0x20;
    private const nint OfPagingFile = -1;

    /// <summary>Maps new memory twice.</summary>
    /// <returns>0, or why it failed: an error number.</returns>
    public static int TryMap(nuint size, out nint writable, out nint executable)
    {
        (writable, executable) = (0, 0);
        nint section = CreateFileMapping(OfPagingFile, 0, PageExecuteReadWrite, (uint)((ulong)size >> 32), (uint)size, null);
        if (section == 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        try
        {
            nint first = MapViewOfFile(section, ViewWrite, 0, 0, size);
            if (first == 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            nint second = MapViewOfFile(section, ViewReadExecute, 0, 0, size);
            if (second == 0)
            {
                int error = Marshal.GetLastPInvokeError();
                _ = UnmapViewOfFile(first);
                return error;
            }

            (writable, executable) = (first, second);
            return 0;
        }
        finally
        {
            _ = CloseHandle(section);
        }
    }

    public static void Free(nint writable, nint executable)
    {
        _ = UnmapViewOfFile(writable);
        _ = UnmapViewOfFile(executable);
    }

    [LibraryImport("kernel32", EntryPoint = "CreateFileMappingW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial nint CreateFileMapping(
        nint file, nint security, uint protection, uint sizeHigh, uint sizeLow, string? name);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint MapViewOfFile(nint section, uint access, uint offsetHigh, uint offsetLow, nuint size);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int UnmapViewOfFile(nint address);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int CloseHandle(nint handle);
}

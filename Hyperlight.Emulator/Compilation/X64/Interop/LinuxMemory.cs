using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Compilation.X64.Interop;

/// <summary>Memory of Linux that is at two addresses: it can be written at one and executed at the other.</summary>
internal static partial class LinuxMemory
{
    private const int ProtectionRead = 1;
    private const int ProtectionWrite = 2;
    private const int ProtectionExecute = 4;
    private const int Shared = 1;
    private const uint CloseOnExec = 1;

    /// <summary>Linux 6.3 and later ask for this, or may refuse to execute the memory; earlier ones do not know it.</summary>
    private const uint Executable = 0x10;
    private const nint Failed = -1;

    /// <summary>Maps new memory twice.</summary>
    /// <returns>0, or why it failed: an error number.</returns>
    public static int TryMap(nuint size, out nint writable, out nint executable)
    {
        (writable, executable) = (0, 0);
        int file = CreateMemoryFile("hyperlight-code", CloseOnExec | Executable);
        if (file < 0)
        {
            file = CreateMemoryFile("hyperlight-code", CloseOnExec);
        }

        if (file < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        try
        {
            if (SetLength(file, (nint)size) != 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            nint first = Map(0, size, ProtectionRead | ProtectionWrite, Shared, file, 0);
            if (first == Failed)
            {
                return Marshal.GetLastPInvokeError();
            }

            nint second = Map(0, size, ProtectionRead | ProtectionExecute, Shared, file, 0);
            if (second == Failed)
            {
                int error = Marshal.GetLastPInvokeError();
                _ = Unmap(first, size);
                return error;
            }

            (writable, executable) = (first, second);
            return 0;
        }
        finally
        {
            _ = Close(file);
        }
    }

    public static void Free(nuint size, nint writable, nint executable)
    {
        _ = Unmap(writable, size);
        _ = Unmap(executable, size);
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int SetLength(int file, nint length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}

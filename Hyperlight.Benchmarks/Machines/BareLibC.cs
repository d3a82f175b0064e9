using System.Runtime.InteropServices;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>The C library without anything around it: no errno is kept, no handle is counted.</summary>
internal static unsafe partial class BareLibC
{
    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "open")]
    public static partial int Open(byte* path, int flags);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "ioctl")]
    public static partial int Ioctl(int fd, nuint request, nint argument);

    [LibraryImport(Library, EntryPoint = "mmap")]
    public static partial nint Map(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(Library, EntryPoint = "munmap")]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "madvise")]
    public static partial int Advise(nint address, nuint length, int advice);
}

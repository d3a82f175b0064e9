using System.Runtime.InteropServices;

namespace Hyperlight.Linux.Interop;

/// <summary>The C library. Functions come in one file per header.</summary>
internal static unsafe partial class LibC
{
    /// <summary>The name under which .NET resolves both glibc and musl.</summary>
    private const string Library = "libc";

    /// <summary>unistd.h: any system call by number; for calls that not every C library exports.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint a = 0, nint b = 0, nint c = 0, nint d = 0);

    /// <summary>signal.h.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial int sigaction(int signal, SigAction* action, SigAction* previous);
}

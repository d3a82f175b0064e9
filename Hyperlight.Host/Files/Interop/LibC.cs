using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files.Interop;

/// <summary>fcntl.h, stdio.h, sys/file.h, sys/stat.h and unistd.h of Linux: what is done relative to an open directory.</summary>
internal static partial class LibC
{
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_REMOVEDIR = 0x200;
    public const int AT_EMPTY_PATH = 0x1000;

    public const int SEEK_CUR = 1;

    public const int RLIMIT_FSIZE = 1;

    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;

    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int EFBIG = 27;
    public const int EROFS = 30;
    public const int ENAMETOOLONG = 36;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int EILSEQ = 84;
    public const int EDQUOT = 122;

    /// <summary>The name under which .NET resolves both glibc and musl.</summary>
    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int openat(SafeFileHandle directory, string name, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdirat(SafeFileHandle directory, string name, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat(SafeFileHandle oldDirectory, string oldName, SafeFileHandle newDirectory, string newName);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlinkat(SafeFileHandle directory, string name, int flags);

    /// <summary>renameat2(2), which not every C library exports.</summary>
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint renameat2(
        nint number, SafeFileHandle oldDirectory, string oldName, SafeFileHandle newDirectory, string newName, nint flags);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int utimensat(SafeFileHandle directory, string name, ReadOnlySpan<long> times, int flags);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fchmod(SafeFileHandle file, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int ftruncate(SafeFileHandle file, long size);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fsync(SafeFileHandle file);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint pwrite(SafeFileHandle file, ReadOnlySpan<byte> bytes, nint size, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint write(SafeFileHandle file, ReadOnlySpan<byte> bytes, nint size);

    [LibraryImport(Library, SetLastError = true)]
    public static partial long lseek(SafeFileHandle file, long offset, int origin);

    /// <param name="resource">RLIMIT_FSIZE and the like.</param>
    /// <param name="limits">The soft and the hard limit.</param>
    [LibraryImport(Library, SetLastError = true)]
    public static partial int getrlimit(int resource, Span<ulong> limits);

    [LibraryImport(Library)]
    public static partial uint geteuid();

    [LibraryImport(Library, SetLastError = true)]
    public static partial int flock(SafeFileHandle file, int operation);

    /// <summary>statx(2), which not every C library exports.</summary>
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint statx(nint number, SafeFileHandle file, string path, nint flags, nint mask, out Statx status);

    /// <summary>getdents64(2), which not every C library exports.</summary>
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint getdents64(nint number, SafeFileHandle directory, ref byte buffer, nint size);
}

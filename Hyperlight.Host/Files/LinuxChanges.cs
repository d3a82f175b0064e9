using System.Runtime.InteropServices;
using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>
/// Changes what has a name in a directory of Linux. No link is followed, and nothing but regular files and directories is opened. Results are error
/// numbers of the kernel, 0 for none.
/// </summary>
internal static class LinuxChanges
{
    /// <summary>The largest file that this process may write. The kernel ends a process that exceeds it.</summary>
    public static long MaximumFileSize
    {
        get
        {
            if (!Platform.IsSupported)
            {
                return long.MaxValue;
            }

            Span<ulong> limits = stackalloc ulong[2];
            LinuxFile.Check(LibC.getrlimit(LibC.RLIMIT_FSIZE, limits), "the largest file of this process");
            return (long)Math.Min(limits[0], long.MaxValue);
        }
    }

    /// <summary>Creates a file that does not exist, and opens it for writing.</summary>
    public static int CreateFile(LinuxDirectory directory, string name, int mode, out SafeFileHandle? file) =>
        Open(directory, name, Platform.O_WRONLY | Platform.O_CREAT | Platform.O_EXCL, mode, out file);

    public static int CreateDirectory(LinuxDirectory directory, string name, int mode) =>
        ErrorOf(LibC.mkdirat(directory.Handle, name, (uint)mode));

    public static int RemoveFile(LinuxDirectory directory, string name) => ErrorOf(LibC.unlinkat(directory.Handle, name, 0));

    public static int RemoveDirectory(LinuxDirectory directory, string name) =>
        ErrorOf(LibC.unlinkat(directory.Handle, name, LibC.AT_REMOVEDIR));

    /// <param name="directory">Where the name is.</param>
    /// <param name="name">The name.</param>
    /// <param name="newDirectory">Where the new name is.</param>
    /// <param name="newName">The new name.</param>
    /// <param name="flags">As of renameat2.</param>
    public static int Rename(LinuxDirectory directory, string name, LinuxDirectory newDirectory, string newName, int flags) =>
        ErrorOf(LibC.renameat2(Platform.SYS_renameat2, directory.Handle, name, newDirectory.Handle, newName, flags));

    /// <summary>
    /// Opens a regular file. One that is executed as another user is refused: if this process is the superuser's, the kernel leaves that
    /// permission to a file which is written.
    /// </summary>
    public static int OpenForWriting(LinuxDirectory directory, string name, bool appends, out SafeFileHandle? file)
    {
        int error = OpenRegular(directory, name, Platform.O_WRONLY | (appends ? Platform.O_APPEND : 0), out file);
        if (error == 0 && FileStatus.Get(file!, name).IsExecutedAsOther)
        {
            file!.Dispose();
            file = null;
            error = LibC.EPERM;
        }

        return error;
    }

    public static int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, out int count)
    {
        nint result;
        do
        {
            result = LibC.pwrite(file, bytes, bytes.Length, offset);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == LibC.EINTR);
        count = (int)Math.Max(result, 0);
        return ErrorOf(result);
    }

    /// <param name="file">A file that was opened for this.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="count">How many of them were written.</param>
    /// <param name="offset">Where in the file they are.</param>
    public static int Append(SafeFileHandle file, ReadOnlySpan<byte> bytes, out int count, out long offset)
    {
        nint result;
        do
        {
            result = LibC.write(file, bytes, bytes.Length);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == LibC.EINTR);
        count = (int)Math.Max(result, 0);
        offset = 0;
        if (result < 0)
        {
            return ErrorOf(result);
        }

        long end = LibC.lseek(file, 0, LibC.SEEK_CUR);
        offset = end - count;
        return ErrorOf((nint)end);
    }

    public static int Resize(SafeFileHandle file, long size) => ErrorOf(LibC.ftruncate(file, size));

    /// <summary>Sets the permissions of a regular file or a directory.</summary>
    /// <param name="directory">Where it is.</param>
    /// <param name="name">Its name.</param>
    /// <param name="modeOf">The permissions, for a directory or for a file.</param>
    public static int SetMode(LinuxDirectory directory, string name, Func<bool, int> modeOf)
    {
        int error = OpenForReading(directory, name, out SafeFileHandle? file, out bool isDirectory);
        using (file)
        {
            return error != 0 ? error : ErrorOf(LibC.fchmod(file!, (uint)modeOf(isDirectory)));
        }
    }

    /// <param name="directory">Where the name is.</param>
    /// <param name="name">The name.</param>
    /// <param name="times">Seconds and nanoseconds of the last access and of the last change, as of utimensat.</param>
    public static int SetTimes(LinuxDirectory directory, string name, ReadOnlySpan<long> times) =>
        ErrorOf(LibC.utimensat(directory.Handle, name, times, LibC.AT_SYMLINK_NOFOLLOW));

    /// <summary>Waits until a regular file or a directory is on the disk.</summary>
    public static int Synchronize(LinuxDirectory directory, string name)
    {
        int error = OpenForReading(directory, name, out SafeFileHandle? file, out _);
        using (file)
        {
            return error != 0 ? error : ErrorOf(LibC.fsync(file!));
        }
    }

    private static int OpenForReading(LinuxDirectory directory, string name, out SafeFileHandle? file, out bool isDirectory)
    {
        int error = OpenRegular(directory, name, Platform.O_RDONLY, out file);
        isDirectory = error == LibC.EISDIR;
        return isDirectory ? Open(directory, name, Platform.O_RDONLY | Platform.O_DIRECTORY, 0, out file) : error;
    }

    /// <summary>
    /// To open a device or a pipe can have an effect: what it is, is looked at before. As it can be exchanged meanwhile, what was opened is
    /// looked at too.
    /// </summary>
    private static int OpenRegular(LinuxDirectory directory, string name, int flags, out SafeFileHandle? file)
    {
        int error = Open(directory, name, Platform.O_PATH, 0, out file);
        using (file)
        {
            error = error != 0 ? error : CheckRegular(file!, name);
        }

        error = error != 0 ? error : Open(directory, name, flags, 0, out file);
        error = error != 0 ? error : CheckRegular(file!, name);
        if (error != 0)
        {
            file?.Dispose();
            file = null;
        }

        return error;
    }

    private static int CheckRegular(SafeFileHandle file, string name)
    {
        FileStatus status = FileStatus.Get(file, name);
        return status.IsRegular ? 0 : status.IsDirectory ? LibC.EISDIR : status.IsLink ? LibC.ELOOP : LibC.EACCES;
    }

    private static int Open(LinuxDirectory directory, string name, int flags, int mode, out SafeFileHandle? file)
    {
        int descriptor;
        do
        {
            descriptor = LibC.openat(directory.Handle, name, flags | LinuxFile.SafeFlags | Platform.O_NOFOLLOW, (uint)mode);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == LibC.EINTR);
        int error = ErrorOf(descriptor);
        file = error == 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
        return error;
    }

    private static int ErrorOf(nint result) => result < 0 ? Marshal.GetLastPInvokeError() : 0;
}

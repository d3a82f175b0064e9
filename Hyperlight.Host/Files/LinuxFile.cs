using System.Runtime.InteropServices;
using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>Opens files on Linux so that nothing that stands in their place makes the caller wait.</summary>
internal static class LinuxFile
{
    // A terminal does not become this process's, a pipe without its other end does not block, and no child inherits the file.
    public const int SafeFlags = Platform.O_CLOEXEC | Platform.O_NONBLOCK | Platform.O_NOCTTY;

    private const uint FileMode = 0x180; // 0600: what is saved is the memory of a guest

    /// <summary>Opens a path. Links are followed.</summary>
    /// <returns>The file or directory, or <see langword="null"/> if there is nothing at the path.</returns>
    public static SafeFileHandle? TryOpen(string path, int flags) =>
        TryOpen(() => LibC.open(path, flags | SafeFlags, 0), path);

    /// <summary>Opens a name in a directory. A link is not followed.</summary>
    /// <returns>The file or directory, or <see langword="null"/> if there is nothing of that name.</returns>
    public static SafeFileHandle? TryOpenAt(SafeFileHandle directory, string name, int flags) =>
        TryOpen(() => LibC.openat(directory, name, flags | SafeFlags | Platform.O_NOFOLLOW, FileMode), name);

    /// <summary>Checks that a file is a regular one.</summary>
    /// <exception cref="IOException">It is something else.</exception>
    public static SafeFileHandle CheckRegular(SafeFileHandle file, string name)
    {
        try
        {
            FileStatus status = FileStatus.Get(file, name);
            return status.IsRegular ? file : throw new IOException($"'{name}' is {status.Description}, not a regular file.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Throws what .NET throws for the error of the last call, if it failed.</summary>
    public static void Check(nint result, string name)
    {
        if (result < 0)
        {
            throw Error(Marshal.GetLastPInvokeError(), name);
        }
    }

    public static Exception Error(int error, string name)
    {
        string message = $"'{name}': {Marshal.GetPInvokeErrorMessage(error)}.";
        return error switch
        {
            LibC.EPERM or LibC.EACCES => new UnauthorizedAccessException(message),
            LibC.ELOOP => new IOException($"'{name}' is a symbolic link that is not followed, or that leads in a circle.", error),
            _ => new IOException(message, error),
        };
    }

    private static SafeFileHandle? TryOpen(Func<int> open, string name)
    {
        while (true)
        {
            int file = open();
            if (file >= 0)
            {
                return new SafeFileHandle(file, ownsHandle: true);
            }

            int error = Marshal.GetLastPInvokeError();
            switch (error)
            {
                case LibC.EINTR: continue;
                case LibC.ENOENT: return null;
                default: throw Error(error, name);
            }
        }
    }
}

using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>What the file system of Linux knows about a file, a directory, a link or something else.</summary>
internal readonly struct FileStatus
{
    private const int SetUserOrGroup = 0xC00; // S_ISUID, S_ISGID
    private const int WritableByOthers = 0x12; // S_IWGRP, S_IWOTH

    private readonly Statx _status;

    private FileStatus(in Statx status) => _status = status;

    /// <summary>Whether <see cref="TryGet"/> and <see cref="Get"/> work on this machine.</summary>
    public static bool IsSupported => Platform.IsSupported;

    /// <summary>The type and the permissions.</summary>
    public int Mode => _status.Mode;

    public uint Links => _status.Links;

    public long Size => (long)_status.Size;

    /// <summary>Whether it belongs to the user that the process acts as, or to the superuser.</summary>
    public bool IsOfProcessOrRoot => _status.User == 0 || _status.User == LibC.geteuid();

    /// <summary>Whether its group or others may write to it.</summary>
    public bool IsWritableByOthers => (Mode & WritableByOthers) != 0;

    /// <summary>What is the same for all names of one file.</summary>
    public (ulong Device, ulong Inode) Identity => (((ulong)_status.DeviceMajor << 32) | _status.DeviceMinor, _status.Inode);

    /// <summary>When the content changed, in seconds since 1970.</summary>
    public long ModifiedSeconds => _status.ModifiedSeconds;

    public uint ModifiedNanoseconds => _status.ModifiedNanoseconds;

    /// <summary>Whether it is executed as its owner or as its group.</summary>
    public bool IsExecutedAsOther => (Mode & SetUserOrGroup) != 0;

    public bool IsRegular => (Mode & Statx.S_IFMT) == Statx.S_IFREG;

    public bool IsDirectory => (Mode & Statx.S_IFMT) == Statx.S_IFDIR;

    public bool IsLink => (Mode & Statx.S_IFMT) == Statx.S_IFLNK;

    /// <summary>What it is if it is neither a regular file nor a link, such as <c>a pipe</c>.</summary>
    public string Description => (Mode & Statx.S_IFMT) switch
    {
        Statx.S_IFDIR => "a directory",
        Statx.S_IFIFO => "a pipe",
        Statx.S_IFSOCK => "a socket",
        Statx.S_IFCHR or Statx.S_IFBLK => "a device",
        _ => "something else",
    };

    /// <summary>Of what is at a path; of a link itself. <see langword="null"/> if there is nothing.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be searched.</exception>
    public static FileStatus? TryGet(string path)
    {
        using SafeFileHandle? file = LinuxFile.TryOpen(path, Platform.O_PATH | Platform.O_NOFOLLOW);
        return file is null ? null : Get(file, path);
    }

    /// <summary>Of an open file.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStatus Get(SafeFileHandle file, string name)
    {
        LinuxFile.Check(
            LibC.statx(Platform.SYS_statx, file, string.Empty, LibC.AT_EMPTY_PATH, Statx.STATX_BASIC_STATS, out Statx status), name);
        return new FileStatus(in status);
    }
}

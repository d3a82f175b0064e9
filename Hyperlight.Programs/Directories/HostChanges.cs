using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Hyperlight.Host.Files;
using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// The host function of one run that changes directories of the host. Each change names its path: nothing that a program has opened stays open
/// here but the file that was written last. What a program sends is checked; it may have taken over the kernel.
/// </summary>
/// <param name="mounts">The directories.</param>
/// <param name="maximumFileSize">The largest file that this process may write: the kernel would end it.</param>
internal sealed class HostChanges(DirectoryMounts mounts, long maximumFileSize) : IDisposable
{
    private const int AnswerSize = 16;
    private const int CountOffset = 4;
    private const int OffsetOffset = 8;

    private const int LargestError = 133;
    private const int MaximumPath = 4095;
    private const int MaximumName = 255;
    private const int RenameExchange = 2; // RENAME_EXCHANGE
    private const int RenameFlags = 3; // all, with RENAME_NOREPLACE
    private const int Times = 4;
    private const int Nanoseconds = 1_000_000_000;
    private const int TimeNow = (1 << 30) - 1; // UTIME_NOW
    private const int TimeOmitted = (1 << 30) - 2; // UTIME_OMIT
    private const string Itself = ".";

    // The owner, whom the process is, can always use and remove what a program leaves behind.
    private const int Permissions = 0x1FF; // 0777
    private const int FilePermissions = 0x180; // 0600
    private const int DirectoryPermissions = 0x1C0; // 0700

    private static readonly long FirstSecond = DateTimeOffset.MinValue.ToUnixTimeSeconds();
    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private readonly WrittenFile _written = new();

    /// <summary>What is changed.</summary>
    public enum Step
    {
        /// <summary>A file that does not exist is created with a mode.</summary>
        CreateFile,

        /// <summary>A directory that does not exist is created with a mode.</summary>
        CreateDirectory,

        /// <summary>A name is removed, which is not that of a directory.</summary>
        RemoveFile,

        /// <summary>An empty directory is removed.</summary>
        RemoveDirectory,

        /// <summary>A name is changed to the path in the bytes, with the flags of renameat2.</summary>
        Rename,

        /// <summary>Nothing: whether a file can be written.</summary>
        Check,

        /// <summary>Bytes are written at an offset.</summary>
        Write,

        /// <summary>Bytes are written at the end.</summary>
        Append,

        /// <summary>A file gets a size.</summary>
        Resize,

        /// <summary>A file or a directory gets permissions.</summary>
        SetMode,

        /// <summary>A file or a directory gets times, as of utimensat.</summary>
        SetTimes,

        /// <summary>A file or a directory is written to the disk.</summary>
        Synchronize,
    }

    /// <summary>Makes a change.</summary>
    /// <param name="step">A <see cref="Step"/>.</param>
    /// <param name="path">What is changed.</param>
    /// <param name="bytes">What the step says.</param>
    /// <param name="value">Mode, flags, offset or size.</param>
    /// <returns>An error number, how many bytes were written, and where.</returns>
    public byte[] Answer(int step, ReadOnlySpan<byte> path, ReadOnlySpan<byte> bytes, long value)
    {
        var answer = new byte[AnswerSize];
        int error;
        try
        {
            error = CheckPath(path);
            error = error != 0 ? error : Make((Step)step, Encoding.UTF8.GetString(path), bytes, value, answer);
        }
        catch (UnauthorizedAccessException)
        {
            error = LibC.EACCES;
        }
        catch (IOException exception)
        {
            error = exception.HResult is > 0 and <= LargestError ? exception.HResult : LibC.EIO;
        }

        BinaryPrimitives.WriteInt32LittleEndian(answer, error);
        return answer;
    }

    public void Dispose() => _written.Dispose();

    private static int CheckPath(ReadOnlySpan<byte> path) =>
        path.Length > MaximumPath ? LibC.ENAMETOOLONG : path.Contains((byte)0) ? LibC.EINVAL : Utf8.IsValid(path) ? 0 : LibC.EILSEQ;

    private int Make(Step step, string path, ReadOnlySpan<byte> bytes, long value, byte[] answer)
    {
        if (mounts.Find(path) is not { } mount)
        {
            return LibC.ENOENT;
        }

        if (!mount.IsWritable)
        {
            return LibC.EROFS;
        }

        if (path == mount.Path)
        {
            return step is Step.SetTimes or Step.Synchronize ? Make(step, mount, mount.Directory, Itself, path, bytes, value, answer) : LibC.EPERM;
        }

        using OpenedDirectory? parent = mounts.TryOpenParent(path, out string name);
        return parent is not { Directory: var directory } ? LibC.ENOENT
            : Encoding.UTF8.GetByteCount(name) > MaximumName ? LibC.ENAMETOOLONG
            : Make(step, mount, directory, name, path, bytes, value, answer);
    }

    private int Make(
        Step step, DirectoryMount mount, LinuxDirectory directory, string name, string path, ReadOnlySpan<byte> bytes, long value, byte[] answer)
    {
        switch (step)
        {
            case Step.CreateFile or Step.CreateDirectory:
                return Create(step, mount, directory, name, path, value);
            case Step.RemoveFile:
                _written.Forget();
                return LinuxChanges.RemoveFile(directory, name);
            case Step.RemoveDirectory:
                _written.Forget();
                return LinuxChanges.RemoveDirectory(directory, name);
            case Step.Rename:
                _written.Forget();
                return Rename(mount, directory, name, bytes, value);
            case Step.Check:
                _written.Forget();
                return _written.Open(directory, name, path, appends: false, out _);
            case Step.Write or Step.Append:
                return Write(mount, directory, name, path, bytes, value, step == Step.Append, answer);
            case Step.Resize:
                return Resize(mount, directory, name, path, value);
            case Step.SetMode:
                return LinuxChanges.SetMode(directory, name, isDirectory => ModeOf(value & ~ProcessMask.Value, isDirectory));
            case Step.SetTimes:
                return SetTimes(directory, name, bytes);
            case Step.Synchronize:
                return LinuxChanges.Synchronize(directory, name);
            default:
                return LibC.EINVAL;
        }
    }

    private static int ModeOf(long value, bool isDirectory) => ((int)value & Permissions) | (isDirectory ? DirectoryPermissions : FilePermissions);

    private int Create(Step step, DirectoryMount mount, LinuxDirectory directory, string name, string path, long mode)
    {
        if (mount.Files == 0)
        {
            return LibC.EDQUOT;
        }

        int error;
        if (step == Step.CreateDirectory)
        {
            error = LinuxChanges.CreateDirectory(directory, name, ModeOf(mode, isDirectory: true));
        }
        else
        {
            error = LinuxChanges.CreateFile(directory, name, ModeOf(mode, isDirectory: false), out SafeFileHandle? file);
            _written.Keep(file, path, appends: false);
        }

        if (error == 0)
        {
            mount.UseFile();
        }

        return error;
    }

    private int Rename(DirectoryMount mount, LinuxDirectory directory, string name, ReadOnlySpan<byte> newPath, long flags)
    {
        int error = CheckPath(newPath);
        if (error != 0 || flags is < 0 or >= RenameFlags)
        {
            return error != 0 ? error : LibC.EINVAL;
        }

        string path = Encoding.UTF8.GetString(newPath);
        if (mounts.Find(path) != mount)
        {
            return LibC.EXDEV;
        }

        if (path == mount.Path)
        {
            return LibC.EBUSY;
        }

        using OpenedDirectory? parent = mounts.TryOpenParent(path, out string newName);
        return parent is not { Directory: var newDirectory } || !IsSeen(directory, name) ? LibC.ENOENT
            : flags == RenameExchange && !IsSeen(newDirectory, newName) ? LibC.ENOENT
            : LinuxChanges.Rename(directory, name, newDirectory, newName, (int)flags);
    }

    /// <summary>
    /// Whether programs see a name. They see no links, sockets, pipes or devices, and do not move them: a link that is relative would lead
    /// elsewhere.
    /// </summary>
    private static bool IsSeen(LinuxDirectory directory, string name) => directory.TryGetStatus(name) is { IsRegular: true } or { IsDirectory: true };

    private int Write(
        DirectoryMount mount, LinuxDirectory directory, string name, string path, ReadOnlySpan<byte> bytes, long offset, bool appends, byte[] answer)
    {
        if (bytes.Length is 0 or > KernelMachine.MostBytes || offset < 0)
        {
            return LibC.EINVAL;
        }

        int error = _written.Open(directory, name, path, appends, out SafeFileHandle? file);
        if (error != 0)
        {
            return error;
        }

        long size = FileStatus.Get(file!, name).Size;
        long start = appends ? size : offset;
        long gap = Math.Max(0, start - size);
        if (start > maximumFileSize - bytes.Length)
        {
            return LibC.EFBIG;
        }

        if (gap >= mount.Bytes)
        {
            return LibC.EDQUOT;
        }

        bytes = bytes[..(int)Math.Min(bytes.Length, mount.Bytes - gap)];
        int count;
        error = appends ? LinuxChanges.Append(file!, bytes, out count, out start) : LinuxChanges.Write(file!, bytes, start, out count);
        if (count != 0)
        {
            mount.UseBytes(gap + count);
        }

        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(CountOffset), count);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(OffsetOffset), start);
        return error;
    }

    private int Resize(DirectoryMount mount, LinuxDirectory directory, string name, string path, long size)
    {
        if (size < 0)
        {
            return LibC.EINVAL;
        }

        int error = _written.Open(directory, name, path, appends: false, out SafeFileHandle? file);
        if (error != 0)
        {
            return error;
        }

        long added = Math.Max(0, size - FileStatus.Get(file!, name).Size);
        if (added != 0 && size > maximumFileSize)
        {
            return LibC.EFBIG;
        }

        if (added > mount.Bytes)
        {
            return LibC.EDQUOT;
        }

        error = LinuxChanges.Resize(file!, size);
        if (error == 0)
        {
            mount.UseBytes(added);
        }

        return error;
    }

    private static int SetTimes(LinuxDirectory directory, string name, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Times * sizeof(long))
        {
            return LibC.EINVAL;
        }

        Span<long> times = stackalloc long[Times];
        bytes.CopyTo(MemoryMarshal.AsBytes(times));
        return IsTime(times[0], times[1]) && IsTime(times[2], times[3]) ? LinuxChanges.SetTimes(directory, name, times) : LibC.EINVAL;
    }

    /// <summary>Whether a time can be set. The years are those of <see cref="DateTime"/>: an application that reads any other time gets an exception.</summary>
    private static bool IsTime(long seconds, long nanoseconds) => nanoseconds is TimeNow or TimeOmitted
        || (nanoseconds is >= 0 and < Nanoseconds && seconds >= FirstSecond && seconds <= LastSecond);
}

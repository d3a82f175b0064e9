using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>A directory of Linux, held by its descriptor. Only listing its names takes the permission to read it.</summary>
internal sealed class LinuxDirectory : OpenDirectory
{
    private const uint DirectoryMode = 0x1C0; // 0700: what is saved is the memory of a guest
    private const int EntryBufferSize = 1 << 15;

    private readonly SafeFileHandle _directory;

    private LinuxDirectory(SafeFileHandle directory) => _directory = directory;

    /// <summary>Its descriptor, opened with O_PATH.</summary>
    public SafeFileHandle Handle => _directory;

    public override string? OtherWriters => FileStatus.Get(_directory, ".") switch
    {
        { IsWritableByOthers: true } => WritableByOthers,
        { IsOfProcessOrRoot: false } => OfAnotherUser,
        _ => null,
    };

    public static new LinuxDirectory? TryOpen(string path) =>
        LinuxFile.TryOpen(path, Platform.O_PATH | Platform.O_DIRECTORY) is { } directory ? new LinuxDirectory(directory) : null;

    public override OpenDirectory? TryOpenDirectory(string name)
    {
        try
        {
            return LinuxFile.TryOpenAt(_directory, name, Platform.O_PATH | Platform.O_DIRECTORY) is { } directory
                ? new LinuxDirectory(directory)
                : null;
        }
        catch (IOException exception) when (exception.HResult == LibC.ENOTDIR)
        {
            throw new IOException($"'{name}' is a symbolic link or a file, not a directory.", LibC.ENOTDIR);
        }
    }

    public override bool CreateDirectory(string name)
    {
        if (LibC.mkdirat(_directory, name, DirectoryMode) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error == LibC.EEXIST ? false : throw LinuxFile.Error(error, name);
    }

    public override SafeFileHandle? TryOpenFile(string name) =>
        LinuxFile.TryOpenAt(_directory, name, Platform.O_RDONLY) is { } file ? LinuxFile.CheckRegular(file, name) : null;

    /// <summary>Of what has a name; of a link itself.</summary>
    /// <returns>The status, or <see langword="null"/> if there is nothing of that name.</returns>
    public FileStatus? TryGetStatus(string name)
    {
        using SafeFileHandle? file = LinuxFile.TryOpenAt(_directory, name, Platform.O_PATH);
        return file is null ? null : FileStatus.Get(file, name);
    }

    /// <summary>Whether an open file is the one that has a name.</summary>
    public bool IsAt(string name, SafeFileHandle file) => TryGetStatus(name)?.Identity == FileStatus.Get(file, name).Identity;

    public override SafeFileHandle CreateFile(string name) =>
        LinuxFile.TryOpenAt(_directory, name, Platform.O_WRONLY | Platform.O_CREAT | Platform.O_EXCL)
        ?? throw new DirectoryNotFoundException($"'{name}' cannot be created: the directory was removed.");

    public override LockResult TryLock(string name, bool create, out SafeFileHandle? file)
    {
        int flags = Platform.O_RDWR | (create ? Platform.O_CREAT : 0);
        file = LinuxFile.TryOpenAt(_directory, name, flags) is { } opened ? LinuxFile.CheckRegular(opened, name) : null;
        if (file is null)
        {
            return LockResult.Missing;
        }

        // As FileShare.None does: a file system without locks is used without them.
        if (LibC.flock(file, LibC.LOCK_EX | LibC.LOCK_NB) != 0 && Marshal.GetLastPInvokeError() == LibC.EAGAIN)
        {
            file.Dispose();
            file = null;
            return LockResult.InUse;
        }

        return LockResult.Locked;
    }

    public override void Rename(string name, string newName) =>
        LinuxFile.Check(LibC.renameat(_directory, name, _directory, newName), newName);

    public override void DeleteFile(string name) => Delete(name, 0);

    public override void DeleteDirectory(string name) => Delete(name, LibC.AT_REMOVEDIR);

    public override IReadOnlyList<string> Names() => Names(int.MaxValue);

    /// <summary>The names of a directory, without the rest of them as soon as there are more than a number.</summary>
    public IReadOnlyList<string> Names(int most)
    {
        // The position in a directory belongs to the open file: this one is read from its start every time.
        using SafeFileHandle directory = LinuxFile.TryOpenAt(_directory, ".", Platform.O_RDONLY | Platform.O_DIRECTORY)
            ?? throw new DirectoryNotFoundException("The directory was removed.");
        var names = new List<string>();
        var buffer = new byte[EntryBufferSize];
        while (true)
        {
            nint read = LibC.getdents64(Platform.SYS_getdents64, directory, ref buffer[0], buffer.Length);
            LinuxFile.Check(read, ".");
            if (read == 0 || names.Count > most)
            {
                return names;
            }

            for (ReadOnlySpan<byte> entries = buffer.AsSpan(0, (int)read); !entries.IsEmpty;)
            {
                int length = BinaryPrimitives.ReadUInt16LittleEndian(entries[DirectoryEntry.LengthOffset..]);
                ReadOnlySpan<byte> name = entries[DirectoryEntry.NameOffset..length];
                string text = Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
                if (text is not ("." or ".."))
                {
                    names.Add(text);
                }

                entries = entries[length..];
            }
        }
    }

    public override void Dispose() => _directory.Dispose();

    private void Delete(string name, int flags)
    {
        if (LibC.unlinkat(_directory, name, flags) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != LibC.ENOENT)
            {
                throw LinuxFile.Error(error, name);
            }
        }
    }
}

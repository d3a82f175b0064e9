using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// The host function of one run for directories of the host. A program may have taken over the kernel: a path that it sends is split into
/// names, and each is opened relative to the directory before, without following a link, so that nothing outside of the directories
/// is reached, whatever is exchanged meanwhile. Only regular files and directories are there.
/// </summary>
internal sealed class HostDirectories : IDisposable
{
    /// <summary>The most names that are listed of one directory.</summary>
    public const int MaximumNames = 0x1_0000;

    private const int ErrorSize = sizeof(int);
    private const int EntryHeaderSize = 32;
    private const int MaximumNameBytes = 255;

    private const int NoError = 0;
    private const int NotFound = 2; // ENOENT
    private const int InputOutputError = 5; // EIO
    private const int AccessDenied = 13; // EACCES
    private const int InvalidArgument = 22; // EINVAL
    private const int TooLarge = 75; // EOVERFLOW

    private readonly List<(string Path, LinuxDirectory Directory)> _mounts = [];

    // What was asked for last: the parts of it follow.
    private string? _listedPath;
    private List<(string Name, FileStatus Status)> _listed = [];
    private string? _openPath;
    private SafeFileHandle? _open;

    /// <summary>Opens the directories.</summary>
    /// <param name="directories">Their paths on the host, by their paths for the program.</param>
    /// <exception cref="DirectoryNotFoundException">One of them does not exist.</exception>
    /// <exception cref="IOException">One of them cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">One of them may not be opened.</exception>
    public HostDirectories(IReadOnlyDictionary<string, string> directories)
    {
        try
        {
            foreach ((string path, string hostPath) in directories)
            {
                _mounts.Add((path, LinuxDirectory.TryOpen(hostPath) ?? throw new DirectoryNotFoundException($"There is no directory '{hostPath}'.")));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the kernel asks for.</summary>
    public enum Step
    {
        /// <summary>Entries of a directory, from the one with a number on.</summary>
        List,

        /// <summary>Bytes of a file, from an offset on.</summary>
        Read,
    }

    /// <summary>Checks paths and the platform.</summary>
    /// <exception cref="ArgumentException">A path for the program is not absolute, or a directory is in another one.</exception>
    /// <exception cref="PlatformNotSupportedException">Directories of this host cannot be confined.</exception>
    public static void Check(IReadOnlyDictionary<string, string> directories)
    {
        foreach (string path in directories.Keys)
        {
            RunFiles.CheckAbsolute(path, nameof(directories));
            if (directories.Keys.Any(other => RunFiles.IsIn(path, other)))
            {
                throw new ArgumentException($"The directory '{path}' is in another directory of the host.", nameof(directories));
            }
        }

        if (directories.Count != 0 && !FileStatus.IsSupported)
        {
            throw new PlatformNotSupportedException("Programs can use directories of the host on Linux alone.");
        }
    }

    /// <summary>An error number, then entries or bytes; none after the last.</summary>
    public ReadOnlyMemory<byte> Answer(int step, ReadOnlySpan<byte> path, long offset)
    {
        try
        {
            if (offset < 0 || !Utf8.IsValid(path))
            {
                return Error(InvalidArgument);
            }

            string text = Encoding.UTF8.GetString(path);
            return (Step)step switch
            {
                Step.List => List(text, offset),
                Step.Read => Read(text, offset),
                _ => Error(InvalidArgument),
            };
        }
        catch (UnauthorizedAccessException)
        {
            return Error(AccessDenied);
        }
        catch (DirectoryNotFoundException)
        {
            return Error(NotFound);
        }
        catch (IOException)
        {
            return Error(InputOutputError);
        }
    }

    public void Dispose()
    {
        _open?.Dispose();
        _mounts.ForEach(static mount => mount.Directory.Dispose());
    }

    private ReadOnlyMemory<byte> List(string path, long offset)
    {
        if (offset == 0 || _listedPath != path)
        {
            using OpenedDirectory directory = OpenDirectory(path) ?? throw new DirectoryNotFoundException();
            _listedPath = null;
            IReadOnlyList<string> names = directory.Directory.Names();
            if (names.Count > MaximumNames)
            {
                return Error(TooLarge);
            }

            _listed = [.. EntriesOf(directory.Directory, names)];
            _listedPath = path;
        }

        var answer = new MemoryStream();
        answer.SetLength(ErrorSize);
        answer.Position = ErrorSize;
        Span<byte> header = stackalloc byte[EntryHeaderSize];
        for (long i = offset; i < _listed.Count; i++)
        {
            (string name, FileStatus status) = _listed[(int)i];
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            if (answer.Length - ErrorSize + EntryHeaderSize + bytes.Length > KernelSandbox.MostBytes)
            {
                break;
            }

            BinaryPrimitives.WriteInt32LittleEndian(header, status.Mode);
            BinaryPrimitives.WriteInt32LittleEndian(header[4..], bytes.Length);
            BinaryPrimitives.WriteInt64LittleEndian(header[8..], status.IsDirectory ? 0 : status.Size);
            BinaryPrimitives.WriteInt64LittleEndian(header[16..], status.ModifiedSeconds);
            BinaryPrimitives.WriteInt64LittleEndian(header[24..], status.ModifiedNanoseconds);
            answer.Write(header);
            answer.Write(bytes);
        }

        return answer.GetBuffer().AsMemory(0, (int)answer.Length);
    }

    private ReadOnlyMemory<byte> Read(string path, long offset)
    {
        if (offset == 0 || _openPath != path)
        {
            _open?.Dispose();
            _open = null;
            _openPath = null;
            int slash = path.LastIndexOf('/');
            using OpenedDirectory? directory = slash > 0 ? OpenDirectory(path[..slash]) : null;
            if (directory is not { } found || !IsName(path[(slash + 1)..]) || found.Directory.TryOpenFile(path[(slash + 1)..]) is not { } file)
            {
                return Error(NotFound);
            }

            _open = file;
            _openPath = path;
        }

        var answer = new byte[ErrorSize + KernelSandbox.MostBytes];
        int count = RandomAccess.Read(_open!, answer.AsSpan(ErrorSize), offset);
        return answer.AsMemory(0, ErrorSize + count);
    }

    private static IEnumerable<(string Name, FileStatus Status)> EntriesOf(LinuxDirectory directory, IReadOnlyList<string> names) => names
        .Where(static name => IsName(name) && Encoding.UTF8.GetByteCount(name) <= MaximumNameBytes)
        .Order(StringComparer.Ordinal)
        .Select(name => (Name: name, Status: directory.TryGetStatus(name)))
        .Where(static entry => entry.Status is { IsRegular: true } or { IsDirectory: true })
        .Select(static entry => (entry.Name, entry.Status!.Value));

    /// <summary>Opens a directory by the path that it has for the program.</summary>
    private OpenedDirectory? OpenDirectory(string path)
    {
        foreach ((string mount, LinuxDirectory root) in _mounts)
        {
            if (path == mount)
            {
                return new OpenedDirectory(root, isOwned: false);
            }

            if (RunFiles.IsIn(path, mount))
            {
                return OpenBelow(root, path[(mount.Length + 1)..].Split('/'));
            }
        }

        return null;
    }

    private static OpenedDirectory? OpenBelow(LinuxDirectory root, string[] names)
    {
        if (!Array.TrueForAll(names, IsName))
        {
            return null;
        }

        var current = new OpenedDirectory(root, isOwned: false);
        foreach (string name in names)
        {
            using OpenedDirectory parent = current;
            if (parent.Directory.TryOpenDirectory(name) is not LinuxDirectory next)
            {
                return null;
            }

            current = new OpenedDirectory(next, isOwned: true);
        }

        return current;
    }

    private static bool IsName(string name) =>
        name is not ("" or "." or "..") && !name.Contains('/', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal);

    private static ReadOnlyMemory<byte> Error(int number)
    {
        var answer = new byte[ErrorSize];
        BinaryPrimitives.WriteInt32LittleEndian(answer, number);
        return answer;
    }

    /// <summary>A directory that is closed after its use, unless it is one of the mounts.</summary>
    private readonly struct OpenedDirectory(LinuxDirectory directory, bool isOwned) : IDisposable
    {
        public LinuxDirectory Directory => directory;

        public void Dispose()
        {
            if (isOwned)
            {
                directory.Dispose();
            }
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// The host functions of one run for directories of the host: lists directories and reads files; changes are those of <see cref="HostChanges"/>.
/// A program may have taken over the kernel: what it sends is checked, and its paths lead to what <see cref="DirectoryMounts"/> opens, and to nothing else.
/// </summary>
/// <param name="mounts">The directories. They are closed with this.</param>
/// <param name="maximumFileSize">The largest file that this process may write; <see langword="null"/> to ask the system.</param>
internal sealed class HostDirectories(DirectoryMounts mounts, long? maximumFileSize = null) : IDisposable
{
    /// <summary>The most names that are listed of one directory.</summary>
    public const int MaximumNames = 0x1_0000;

    private const int ErrorSize = sizeof(int);
    private const int EntryHeaderSize = 32;
    private const int MaximumNameBytes = 255;

    private const int NotFound = 2; // ENOENT
    private const int InputOutputError = 5; // EIO
    private const int AccessDenied = 13; // EACCES
    private const int InvalidArgument = 22; // EINVAL
    private const int TooLarge = 75; // EOVERFLOW

    private readonly HostChanges _changes = new(mounts, maximumFileSize ?? LinuxChanges.MaximumFileSize);

    // What was asked for last: the parts of it follow.
    private string? _listedPath;
    private List<(string Name, FileStatus Status)> _listed = [];
    private string? _openPath;
    private SafeFileHandle? _open;

    /// <summary>What the kernel asks for.</summary>
    public enum Step
    {
        /// <summary>Entries of a directory, from the one with a number on.</summary>
        List,

        /// <summary>Bytes of a file, from an offset on.</summary>
        Read,

        /// <summary>The entry of one path.</summary>
        Entry,
    }

    /// <summary>Checks paths and the platform.</summary>
    /// <exception cref="ArgumentException">A path for the program is not absolute, or a directory is in another one.</exception>
    /// <exception cref="PlatformNotSupportedException">Directories of this host cannot be confined.</exception>
    public static void Check(IReadOnlyDictionary<string, ProgramDirectory> directories)
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
        if (offset < 0 || !Utf8.IsValid(path))
        {
            return Error(InvalidArgument);
        }

        try
        {
            string text = Encoding.UTF8.GetString(path);
            return (Step)step switch
            {
                Step.List => List(text, offset),
                Step.Read => Read(text, offset),
                Step.Entry => Entry(text),
                _ => Error(InvalidArgument),
            };
        }
        catch (UnauthorizedAccessException)
        {
            return Error(AccessDenied);
        }
        catch (IOException)
        {
            return Error(InputOutputError);
        }
    }

    /// <summary>Makes a change.</summary>
    /// <returns>An error number, and what was written.</returns>
    public byte[] Change(int step, ReadOnlySpan<byte> path, ReadOnlySpan<byte> bytes, long value)
    {
        // A path can be that of another file afterwards.
        _openPath = null;
        return _changes.Answer(step, path, bytes, value);
    }

    public void Dispose()
    {
        _open?.Dispose();
        _changes.Dispose();
        mounts.Dispose();
    }

    private ReadOnlyMemory<byte> List(string path, long offset)
    {
        if ((offset == 0 || _listedPath != path) && ReadEntries(path) is var error && error != 0)
        {
            return Error(error);
        }

        if (offset >= _listed.Count)
        {
            // The last part was asked for.
            (_listed, _listedPath) = ([], null);
            return Describe([]);
        }

        return Describe(_listed.Skip((int)offset));
    }

    private ReadOnlyMemory<byte> Entry(string path)
    {
        using OpenedDirectory? directory = mounts.TryOpenParent(path, out string name);
        List<(string Name, FileStatus Status)> found = directory is { Directory: var parent } ? [.. EntriesOf(parent, [name])] : [];
        return found is [] ? Error(NotFound) : Describe(found);
    }

    /// <summary>As many entries as there is room for, after the error number 0.</summary>
    private static ReadOnlyMemory<byte> Describe(IEnumerable<(string Name, FileStatus Status)> entries)
    {
        var answer = new MemoryStream();
        Span<byte> header = stackalloc byte[EntryHeaderSize];
        answer.Write(header[..ErrorSize]);
        foreach ((string name, FileStatus status) in entries)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            if (answer.Length - ErrorSize + EntryHeaderSize + bytes.Length > KernelMachine.MostBytes)
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

    /// <summary>Reads a directory for the parts of its list.</summary>
    /// <returns>An error number, or 0.</returns>
    private int ReadEntries(string path)
    {
        _listedPath = null;
        using OpenedDirectory? opened = mounts.TryOpen(path);
        if (opened is not { Directory: var directory })
        {
            return NotFound;
        }

        IReadOnlyList<string> names = directory.Names(MaximumNames);
        if (names.Count > MaximumNames)
        {
            return TooLarge;
        }

        _listed = [.. EntriesOf(directory, names)];
        _listedPath = path;
        return 0;
    }

    private static IEnumerable<(string Name, FileStatus Status)> EntriesOf(LinuxDirectory directory, IReadOnlyList<string> names) => names
        .Where(static name => DirectoryMounts.IsName(name) && Encoding.UTF8.GetByteCount(name) <= MaximumNameBytes)
        .Order(StringComparer.Ordinal)
        .Select(name => (Name: name, Status: directory.TryGetStatus(name)))
        .Where(static entry => entry.Status is { IsRegular: true } or { IsDirectory: true })
        .Select(static entry => (entry.Name, entry.Status!.Value));

    private ReadOnlyMemory<byte> Read(string path, long offset)
    {
        if (offset == 0 || _openPath != path || !mounts.IsAt(path, _open!))
        {
            _open?.Dispose();
            _openPath = null;
            _open = mounts.TryOpenFile(path);
            if (_open is null)
            {
                return Error(NotFound);
            }

            _openPath = path;
        }

        var answer = new byte[ErrorSize + KernelMachine.MostBytes];
        int count = RandomAccess.Read(_open!, answer.AsSpan(ErrorSize), offset);
        return answer.AsMemory(0, ErrorSize + count);
    }

    private static ReadOnlyMemory<byte> Error(int number)
    {
        var answer = new byte[ErrorSize];
        BinaryPrimitives.WriteInt32LittleEndian(answer, number);
        return answer;
    }
}

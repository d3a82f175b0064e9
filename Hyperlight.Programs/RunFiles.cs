using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>
/// The host functions of one run for files: those that the program finds, and those that it leaves behind. A program may have taken over
/// the kernel: paths and sizes are checked.
/// </summary>
internal sealed class RunFiles
{
    private const int Continue = 0;
    private const int Stop = 1;
    private const int FileMode = 0x81A4; // S_IFREG | 0644
    private const int DirectoryMode = 0x41ED; // S_IFDIR | 0755
    private const int InputHeaderSize = 16;
    private const int HostDirectoryOffset = 4;
    private const byte HostDirectory = 1;
    private const byte WritableHostDirectory = 2;

    private readonly IReadOnlyList<(string Path, ReadOnlyMemory<byte> Bytes)> _input;
    private readonly IReadOnlyList<(string Path, bool IsWritable)> _hostDirectories;
    private readonly IReadOnlyList<string> _created;
    private readonly long _mostBytes;
    private readonly int _mostFiles;
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _output = new(StringComparer.Ordinal);
    private readonly List<string> _leftOut = [];
    private string? _directory;
    private string? _path;
    private bool _isLeftOut;
    private byte[] _bytes = [];
    private int _position;
    private long _total;

    /// <param name="input">The files of the run.</param>
    /// <param name="limits">Limits of the files that the program leaves behind.</param>
    /// <param name="hostDirectories">Directories of the host, by the paths at which the program finds them.</param>
    public RunFiles(ProgramInput input, ProgramLimits limits, IReadOnlyDictionary<string, ProgramDirectory>? hostDirectories = null)
    {
        _hostDirectories = [.. (hostDirectories ?? new Dictionary<string, ProgramDirectory>()).Select(static directory => (directory.Key, directory.Value.IsWritable))];
        _input = [.. input.Files.OrderBy(static file => file.Key, StringComparer.Ordinal).Select(static file => (file.Key, file.Value))];
        _mostBytes = limits.OutputFileBytes;
        _mostFiles = limits.OutputFiles;
        _created = input.OutputDirectories;
        Directories =
            [.. input.OutputDirectories.Distinct().Where(directory => !input.OutputDirectories.Any(other => IsIn(directory, other)))];
    }

    /// <summary>The directories whose files are wanted; none is in another one.</summary>
    public IReadOnlyList<string> Directories { get; }

    /// <summary>Whether files are missing because of a limit.</summary>
    public bool IsLimitReached { get; private set; }

    /// <summary>The files that were complete, by their paths.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Output => _output;

    /// <summary>Paths, for a message, of files that have no path in .NET: they are not UTF-8.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>What is wrong with the calls of the kernel, or <see langword="null"/>.</summary>
    public string? Problem { get; private set; }

    /// <summary>Checks the paths of files and directories.</summary>
    /// <exception cref="ArgumentException">One of them cannot be in an image.</exception>
    public static void Check(ProgramInput input)
    {
        foreach (string path in input.Files.Keys.Concat(input.OutputDirectories))
        {
            CheckAbsolute(path, nameof(input));
        }
    }

    /// <summary>Checks a path.</summary>
    /// <exception cref="ArgumentException">It cannot be in an image.</exception>
    public static void CheckAbsolute(string path, string parameter)
    {
        if (path.Length < 2 || !IsPath(path) || ImagePath.TrySplit(path[1..], out _) is not null)
        {
            throw new ArgumentException($"'{ProgramImageException.Printable(path)}' is not an absolute path without '.' and '..'.", parameter);
        }
    }

    /// <summary>
    /// Mode, size and path of a file that the program finds; then of the directories whose files are wanted, which are created if they are
    /// missing; then of the directories of the host; nothing after the last one.
    /// </summary>
    public byte[] InputFile(int index)
    {
        if (index < 0 || index >= _input.Count + _created.Count + _hostDirectories.Count)
        {
            return [];
        }

        if (index < _input.Count)
        {
            return Describe(_input[index].Path, FileMode, _input[index].Bytes.Length);
        }

        index -= _input.Count;
        if (index < _created.Count)
        {
            return Describe(_created[index], DirectoryMode, 0);
        }

        (string path, bool isWritable) = _hostDirectories[index - _created.Count];
        byte[] directory = Describe(path, DirectoryMode, 0);
        directory[HostDirectoryOffset] = isWritable ? WritableHostDirectory : HostDirectory;
        return directory;
    }

    /// <summary>Bytes of a file that the program finds.</summary>
    public ReadOnlyMemory<byte> InputBytes(int index, long offset, int size)
    {
        if (index < 0 || index >= _input.Count || offset < 0 || offset >= _input[index].Bytes.Length || size <= 0)
        {
            return default;
        }

        ReadOnlyMemory<byte> rest = _input[index].Bytes[(int)offset..];
        return rest[..Math.Min(rest.Length, Math.Min(size, KernelMachine.MostBytes))];
    }

    /// <summary>Files or directories have paths that the kernel does not hand out, because they are too long.</summary>
    public void AddTooLong(uint count) => IsLimitReached |= count != 0;

    /// <summary>The kernel hands out the files of this directory from now on; none with <see langword="null"/>.</summary>
    public void Collect(string? directory)
    {
        if (_path is not null)
        {
            Problem ??= "a file that the program has left behind is incomplete";
        }

        _directory = directory;
    }

    /// <summary>A file follows.</summary>
    public int OutputFile(ReadOnlySpan<byte> path, long size)
    {
        if (_directory is null || _path is not null)
        {
            return Fail("it hands out a file without being asked");
        }

        string text = Encoding.UTF8.GetString(path);
        if (!IsPath(text) || !IsIn(text, _directory) || size < 0 || (Utf8.IsValid(path) && _output.ContainsKey(text)))
        {
            return Fail($"it hands out a file with the path '{ProgramImageException.Printable(text)}' and {size} bytes");
        }

        if (IsLimitReached || size > _mostBytes - _total || size > Array.MaxLength || _output.Count + _leftOut.Count == _mostFiles)
        {
            IsLimitReached = true;
            return Stop;
        }

        _total += size;
        _path = text;
        _isLeftOut = !Utf8.IsValid(path);
        _bytes = new byte[size];
        _position = 0;
        Complete();
        return Continue;
    }

    /// <summary>Bytes of the file that was announced last.</summary>
    public int OutputBytes(ReadOnlySpan<byte> bytes)
    {
        if (_path is null || bytes.IsEmpty || bytes.Length > _bytes.Length - _position)
        {
            return Fail("it hands out bytes that are not those of a file");
        }

        bytes.CopyTo(_bytes.AsSpan(_position));
        _position += bytes.Length;
        Complete();
        return Continue;
    }

    /// <summary>Whether a path is in a directory, or in one that is in it.</summary>
    public static bool IsIn(string path, string directory) =>
        path.StartsWith(directory, StringComparison.Ordinal) && path.Length > directory.Length && path[directory.Length] == '/';

    /// <summary>Whether a path is absolute and has no names that are empty, <c>.</c> or <c>..</c>.</summary>
    private static bool IsPath(string path) =>
        path.StartsWith('/') && !path.Contains('\0') && path[1..].Split('/').All(static name => name is not ("" or "." or ".."));

    private static byte[] Describe(string path, int mode, long size)
    {
        byte[] text = Encoding.UTF8.GetBytes(path);
        var file = new byte[InputHeaderSize + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(file, mode);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(8), size);
        text.CopyTo(file, InputHeaderSize);
        return file;
    }

    private void Complete()
    {
        if (_position == _bytes.Length)
        {
            if (_isLeftOut)
            {
                _leftOut.Add(ProgramImageException.Printable(_path!));
            }
            else
            {
                _output.Add(_path!, _bytes);
            }

            _path = null;
        }
    }

    private int Fail(string problem)
    {
        Problem ??= problem;
        return Stop;
    }
}

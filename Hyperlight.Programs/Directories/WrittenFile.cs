using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// The file that a run has written last. It stays open: more writes are likely to follow, and a program cannot keep more than one open. The
/// application can have given its name to another file meanwhile, so that it is compared before each use.
/// </summary>
internal sealed class WrittenFile : IDisposable
{
    private SafeFileHandle? _file;
    private string? _path;
    private bool _appends;

    /// <summary>Opens a file for writing, unless it is the one that is open.</summary>
    /// <returns>An error number, or 0.</returns>
    public int Open(LinuxDirectory directory, string name, string path, bool appends, out SafeFileHandle? file)
    {
        int error = 0;
        if (_path != path || _appends != appends || !directory.IsAt(name, _file!))
        {
            Forget();
            error = LinuxChanges.OpenForWriting(directory, name, appends, out _file);
            Keep(_file, path, appends);
        }

        file = _file;
        return error;
    }

    /// <summary>Keeps a file that was opened for writing, if there is one.</summary>
    public void Keep(SafeFileHandle? file, string path, bool appends)
    {
        if (_file != file)
        {
            Forget();
        }

        _file = file;
        _path = file is null ? null : path;
        _appends = appends;
    }

    /// <summary>Closes the file: its path can be that of another one from now on.</summary>
    public void Forget()
    {
        _file?.Dispose();
        _file = null;
        _path = null;
    }

    public void Dispose() => Forget();
}

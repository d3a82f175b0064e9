using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Whp;

/// <summary>Files are those of the machine. A section of a file has a copy of its content, which no one can shorten.</summary>
internal sealed partial class SimulatedWindows
{
    private const int FileNotFound = 2;
    private const int ReadFault = 30;

    private readonly List<SafeFileHandle> _programs = [];

    public int OpenFile(string path, out nint file)
    {
        file = -1;
        try
        {
            SafeFileHandle opened = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            lock (_lock)
            {
                file = Add(opened);
            }

            return 0;
        }
        catch (UnauthorizedAccessException)
        {
            return AccessDenied;
        }
        catch (IOException)
        {
            return FileNotFound;
        }
    }

    /// <summary>The programs that are open: others cannot change them meanwhile.</summary>
    public int OpenPrograms => Locked(() => _programs.Count(static p => !p.IsClosed));

    public int OpenProgram(string path, out SafeFileHandle file)
    {
        bool exists = File.Exists(path) && new FileInfo(path).LinkTarget is null;
        file = exists ? File.OpenHandle(path) : new SafeFileHandle(-1, ownsHandle: false);
        if (exists)
        {
            lock (_lock)
            {
                _programs.Add(file);
            }
        }

        return exists ? 0 : FileNotFound;
    }

    public bool IsDiskFile(nint file) => Locked(() => TryFind(file, out SafeFileHandle handle) && IsRegular(handle));

    public int GetFileSize(nint file, out long size)
    {
        lock (_lock)
        {
            size = 0;
            if (!TryFind(file, out SafeFileHandle handle))
            {
                return InvalidHandle;
            }

            size = RandomAccess.GetLength(handle);
            return 0;
        }
    }

    public int ReadFile(nint file, long offset, Span<byte> buffer, out int read)
    {
        lock (_lock)
        {
            read = 0;
            if (!TryFind(file, out SafeFileHandle handle))
            {
                return InvalidHandle;
            }

            try
            {
                read = RandomAccess.Read(handle, buffer, offset);
                return 0;
            }
            catch (IOException)
            {
                return ReadFault;
            }
        }
    }

    public int CreateReadOnlySection(nint file, long size, out nint section)
    {
        lock (_lock)
        {
            section = 0;
            if (!TryFind(file, out SafeFileHandle handle) || SimulatedSection.Create((ulong)size) is not { } created)
            {
                return NotEnoughMemory;
            }

            created.Fill(handle);
            section = Add(created);
            return 0;
        }
    }

    private static bool IsRegular(SafeFileHandle handle)
    {
        try
        {
            return Below.Stat((int)handle.DangerousGetHandle(), out Hyperlight.Linux.FileStatus status) >= 0
                && (status.Mode & 0xF000) == 0x8000;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

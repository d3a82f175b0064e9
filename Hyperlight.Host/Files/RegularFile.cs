using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>Opens a file of the application's for reading. Links are followed; only a regular file is opened, without waiting.</summary>
internal static class RegularFile
{
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">It is something else than a regular file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static SafeFileHandle Open(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"'{path}' is a directory, not a regular file.");
        }

        if (!Platform.IsSupported)
        {
            return File.OpenHandle(path);
        }

        return LinuxFile.TryOpen(path, Platform.O_RDONLY) is { } file
            ? LinuxFile.CheckRegular(file, path)
            : throw new FileNotFoundException(
                Directory.Exists(Path.GetDirectoryName(path))
                    ? $"There is no file '{path}'."
                    : $"There is no directory '{Path.GetDirectoryName(path)}'.",
                path);
    }
}

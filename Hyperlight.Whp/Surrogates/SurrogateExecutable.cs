using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Whp;

/// <summary>
/// The executable file that surrogate processes are started from. It is written from a resource of this assembly if a directory
/// does not have it yet. Its name is derived from its content, so that programs with different versions of this library share a
/// directory. As long as this object lives, no one can write, rename or delete the file.
/// </summary>
internal sealed class SurrogateExecutable : IDisposable
{
    /// <summary>Processes that start at the same time replace each other's file; each replaces it at most once.</summary>
    private const int Attempts = 16;

    private const string ResourceName = "surrogate.exe";

    private static readonly Lazy<byte[]> LazyContent = new(LoadContent);

    private readonly SafeFileHandle _file;

    private SurrogateExecutable(string path, SafeFileHandle file)
    {
        Path = path;
        _file = file;
    }

    /// <summary>The bytes of the file.</summary>
    public static ReadOnlySpan<byte> Content => LazyContent.Value;

    /// <summary>The name of the file.</summary>
    public static string FileName { get; } = $"hyperlight_surrogate_{Convert.ToHexStringLower(SHA256.HashData(Content).AsSpan(0, 8))}.exe";

    /// <summary>
    /// A directory that belongs to the user: the profile's directory for data of programs, or, for an account without a profile, the
    /// directory for temporary files.
    /// </summary>
    public static string DefaultDirectory
    {
        get
        {
            string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            return System.IO.Path.Combine(data.Length > 0 ? data : System.IO.Path.GetTempPath(), "Hyperlight");
        }
    }

    /// <summary>The full path of the file.</summary>
    public string Path { get; }

    /// <summary>Opens the file, and writes it before if it does not exist or is not what it must be.</summary>
    /// <param name="kernel">The Windows that opens it.</param>
    /// <param name="directory">Where it is. It is created if it does not exist.</param>
    /// <exception cref="HypervisorException">The file cannot be written or opened.</exception>
    public static SurrogateExecutable Open(IWindowsKernel kernel, string directory)
    {
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(directory, FileName));
        Exception? cause = null;
        int error = 0;
        for (int i = 0; i < Attempts; i++)
        {
            error = kernel.OpenProgram(path, out SafeFileHandle file);
            if (error == 0 && HasContent(file))
            {
                return new SurrogateExecutable(path, file);
            }

            file.Dispose();
            cause = Write(path) ?? cause;
        }

        throw new HypervisorException(
            "whp",
            $"creating '{path}'",
            cause?.HResult ?? error,
            cause?.Message ?? (error != 0 ? Marshal.GetPInvokeErrorMessage(error) : "another program replaces the file"),
            "The program must be allowed to write to the directory, and to start programs in it.",
            cause);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static byte[] LoadContent()
    {
        using Stream resource = typeof(SurrogateExecutable).Assembly.GetManifestResourceStream(ResourceName)!;
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        return content;
    }

    /// <summary>Whether a file has all the bytes and no more. The file that is compared is the one that stays open.</summary>
    private static bool HasContent(SafeFileHandle file)
    {
        Span<byte> content = stackalloc byte[Content.Length + 1];
        int length = 0;
        try
        {
            while (length < content.Length && RandomAccess.Read(file, content[length..], length) is > 0 and var read)
            {
                length += read;
            }
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            return false;
        }

        return content[..length].SequenceEqual(Content);
    }

    /// <summary>
    /// Writes a file of another name and renames it, so that no reader sees a part of it. What has the name already is replaced: a
    /// link itself, and not its target. Windows does not replace a file that another process has open as this class opens it.
    /// </summary>
    /// <returns>Why the file was not written, or <see langword="null"/>.</returns>
    private static Exception? Write(string path)
    {
        string fresh = $"{path}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            using (FileStream stream = new(fresh, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(Content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
            return null;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            return Delete(fresh) ?? exception;
        }
    }

    private static Exception? Delete(string path)
    {
        try
        {
            File.Delete(path);
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            return exception;
        }
    }

    private static bool IsExpected(Exception exception) => exception is IOException or UnauthorizedAccessException;
}

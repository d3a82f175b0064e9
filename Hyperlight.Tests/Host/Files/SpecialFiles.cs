using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Hyperlight.Tests.Host.Files;

/// <summary>Everything that can stand where a regular file is expected. Opening some of it the ordinary way never returns.</summary>
internal static partial class SpecialFiles
{
    /// <summary>Each kind by its name, and what puts one at a path.</summary>
    public static IEnumerable<(string Kind, Action<string> Plant)> All()
    {
        yield return ("directory", path => Directory.CreateDirectory(path));
        yield return ("full directory", path => Directory.CreateDirectory(Path.Combine(path, "a", "b")));
        yield return ("link to nothing", path => File.CreateSymbolicLink(path, "/no/such/file"));
        yield return ("link to itself", path => File.CreateSymbolicLink(path, path));
        yield return ("link to a directory", path => File.CreateSymbolicLink(path, "/tmp"));
        if (!OperatingSystem.IsWindows())
        {
            yield return ("pipe", path => Pipe(path));
            yield return ("link to a pipe", LinkToPipe);
            yield return ("link to /dev/zero", path => File.CreateSymbolicLink(path, "/dev/zero"));
            yield return ("link to a terminal", path => File.CreateSymbolicLink(path, "/dev/tty"));
            yield return ("socket", ListeningSocket);
        }
    }

    /// <summary>Makes a pipe.</summary>
    public static void Pipe(string path) => Assert.That(MakePipe(path, 0x1B6), Is.Zero, "mkfifo");

    /// <summary>Mounts a file system in memory of a size.</summary>
    /// <returns>Whether this process may.</returns>
    public static bool TryMount(string path, string options) => Mount("none", path, "tmpfs", 0, options) == 0;

    public static void Unmount(string path) => Assert.That(Unmount(path, 0), Is.Zero, "umount2");

    /// <summary>Removes whatever is at a path.</summary>
    public static void Remove(string path)
    {
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <summary>Takes all permissions from a file.</summary>
    public static void Forbid(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Files have no Unix permissions here.");
        }
        else
        {
            File.SetUnixFileMode(path, UnixFileMode.None);
        }
    }

    private static void LinkToPipe(string path)
    {
        Pipe(path + ".pipe");
        File.CreateSymbolicLink(path, path + ".pipe");
    }

    private static void ListeningSocket(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        string shortPath = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        socket.Bind(new UnixDomainSocketEndPoint(shortPath));
        File.Move(shortPath, path);
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string path, string type, nuint flags, string options);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string path, int flags);
}

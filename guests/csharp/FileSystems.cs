using System.IO.MemoryMappedFiles;

namespace Hyperlight.Guests.CSharp;

/// <summary>Files and directories.</summary>
internal static class FileSystems
{
    public static int Run()
    {
        string root = Directory.CreateTempSubdirectory("csharp").FullName;
        try
        {
            Use(root);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        Console.WriteLine(Directory.Exists(root));
        Print(() => File.ReadAllText("/does/not/exist"));
        Print(() => File.ReadAllText("/"));
        return 0;
    }

    private static void Use(string root)
    {
        string file = Path.Combine(root, "a.txt");
        File.WriteAllLines(file, Enumerable.Range(0, 1000).Select(i => $"line {i}"));
        File.AppendAllText(file, "end");
        Console.WriteLine($"{new FileInfo(file).Length} {File.ReadLines(file).Skip(500).First()} {File.ReadLines(file).Last()}");
        Directory.CreateDirectory(Path.Combine(root, "d", "e", "f"));
        File.Copy(file, Path.Combine(root, "d", "e", "b.txt"));
        File.Move(file, Path.Combine(root, "d", "c.txt"));
        File.CreateSymbolicLink(Path.Combine(root, "link"), "d/c.txt");
        Console.WriteLine(string.Join(' ', Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(p => Path.GetRelativePath(root, p))));
        Console.WriteLine(new FileInfo(Path.Combine(root, "link")).LinkTarget);
        using (FileStream stream = new(Path.Combine(root, "d", "c.txt"), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.Asynchronous))
        {
            stream.Seek(-3, SeekOrigin.End);
            stream.Write("END"u8);
            stream.SetLength(stream.Length + 5000);
            Print(() => new FileStream(Path.Combine(root, "d", "c.txt"), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose());
        }

        using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(Path.Combine(root, "d", "c.txt"));
        using MemoryMappedViewAccessor view = mapped.CreateViewAccessor();
        view.Write(0, (byte)'L');
        view.Flush();
        Console.WriteLine($"{view.ReadByte(0)} {(char)view.ReadByte(1)}");
        File.SetUnixFileMode(Path.Combine(root, "d", "c.txt"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetLastWriteTimeUtc(Path.Combine(root, "d", "c.txt"), new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        Console.WriteLine($"{File.GetUnixFileMode(Path.Combine(root, "d", "c.txt"))} {File.GetLastWriteTimeUtc(Path.Combine(root, "d", "c.txt")):O}");
    }

    private static void Print(Action action)
    {
        try
        {
            action();
            Console.WriteLine("no exception");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Console.WriteLine(exception.GetType().Name);
        }
    }
}

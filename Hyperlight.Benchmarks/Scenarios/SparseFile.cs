namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>A file of a size that takes no room on the disk, in a directory of its own until it is disposed.</summary>
internal sealed class SparseFile : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("hyperlight-benchmark-");

    /// <param name="size">Bytes.</param>
    /// <exception cref="IOException">There cannot be such a file.</exception>
    public SparseFile(long size)
    {
        Path = System.IO.Path.Combine(_directory.FullName, "file");
        Size = size;
        try
        {
            using FileStream file = File.Create(Path);
            file.SetLength(size);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Size { get; }

    public void Dispose() => _directory.Delete(recursive: true);
}

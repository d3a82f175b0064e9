using Hyperlight.Host.Files;

namespace Hyperlight.Programs.Directories;

/// <summary>A directory of the host at a path of the program, and what the run may still do in it.</summary>
internal sealed class DirectoryMount(string path, LinuxDirectory directory, ProgramDirectory options)
{
    /// <summary>Where the program finds it.</summary>
    public string Path => path;

    public LinuxDirectory Directory => directory;

    public bool IsWritable => options.IsWritable;

    /// <summary>How many bytes may still be written.</summary>
    public long Bytes { get; private set; } = options.MaximumBytes;

    /// <summary>How many files and directories may still be created.</summary>
    public int Files { get; private set; } = options.MaximumFiles;

    public void UseBytes(long count) => Bytes -= count;

    public void UseFile() => Files--;
}

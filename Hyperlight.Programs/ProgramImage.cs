namespace Hyperlight.Programs;

/// <summary>The executable that a <see cref="ProgramRunner"/> runs. Immutable.</summary>
/// <remarks>
/// It is a static executable for x86-64 Linux, position independent or linked to an address of at least 0x400000. Programs that need
/// an interpreter, which dynamically linked ones do, are refused when the runner is created.
/// </remarks>
public sealed class ProgramImage
{
    /// <summary>The largest executable, in bytes: 1 GiB.</summary>
    public const int MaximumSize = 0x4000_0000;

    private ProgramImage(string name, ReadOnlyMemory<byte> executable)
    {
        Name = name;
        Executable = executable;
    }

    /// <summary>The path of the executable, or the name that was given to it. It is the program's <c>argv[0]</c> by default.</summary>
    public string Name { get; }

    /// <summary>The bytes of the ELF file.</summary>
    internal ReadOnlyMemory<byte> Executable { get; }

    /// <summary>Reads an executable.</summary>
    /// <param name="path">The file, of at most <see cref="MaximumSize"/> bytes.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="ProgramImageException">The file cannot be read, is empty or too large.</exception>
    public static ProgramImage FromExecutable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var file = new FileInfo(path);
            CheckSize(path, file.Length);
            return new ProgramImage(path, File.ReadAllBytes(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProgramImageException(path, exception.Message, exception);
        }
    }

    /// <summary>Takes an executable from memory.</summary>
    /// <param name="executable">The ELF file's bytes, at most <see cref="MaximumSize"/>; they are copied.</param>
    /// <param name="name">What the program finds as <c>argv[0]</c>, and errors state.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="ProgramImageException">There are no bytes, or too many.</exception>
    public static ProgramImage FromBytes(ReadOnlySpan<byte> executable, string name = "program")
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        CheckSize(name, executable.Length);
        return new ProgramImage(name, executable.ToArray());
    }

    private static void CheckSize(string name, long size)
    {
        if (size is 0 or > MaximumSize)
        {
            throw new ProgramImageException(name, size == 0 ? "it is empty" : $"it has more than {MaximumSize} bytes");
        }
    }
}

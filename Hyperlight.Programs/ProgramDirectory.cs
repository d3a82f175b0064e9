namespace Hyperlight.Programs;

/// <summary>A directory of the host for a program: to be read, or with <see cref="IsWritable"/> to be changed too. Immutable.</summary>
public sealed record ProgramDirectory
{
    private const long DefaultBytes = 1L << 30;
    private const int DefaultFiles = 10_000;

    /// <summary>Creates it, to be read.</summary>
    /// <param name="path">The path of the directory on the host.</param>
    public ProgramDirectory(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        Path = path;
    }

    /// <summary>The path on the host.</summary>
    public string Path { get; }

    /// <summary>
    /// Whether the program can create, write, rename and remove files and directories in it. Default: no. What a program has changed stays, also if
    /// its run is cancelled or fails.
    /// </summary>
    public bool IsWritable { get; init; }

    /// <summary>
    /// How many bytes a run may write to it, those included by which it makes files longer. What it overwrites and removes counts too. More are refused
    /// (<c>EDQUOT</c>). Default: 1 GiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public long MaximumBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = DefaultBytes;

    /// <summary>
    /// How many files and directories a run may create in it. What it removes counts too. More are refused (<c>EDQUOT</c>). Default: 10,000.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaximumFiles
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = DefaultFiles;

    /// <summary>A directory to be read.</summary>
    /// <param name="path">The path on the host.</param>
    public static implicit operator ProgramDirectory(string path) => FromString(path);

    /// <summary>A directory to be read.</summary>
    /// <param name="path">The path on the host.</param>
    public static ProgramDirectory FromString(string path) => new(path);
}

namespace Hyperlight.Programs;

/// <summary>
/// An image cannot be built, or a program of it cannot be started: a file cannot be read, an archive is invalid or exceeds a limit, or
/// the executable is not one that the kernel runs.
/// </summary>
public sealed class ProgramImageException : HyperlightException
{
    private const int MostPrinted = 256;

    /// <summary>Creates the error.</summary>
    /// <param name="name">The name of the image.</param>
    /// <param name="problem">What is wrong with it, or with the entry.</param>
    /// <param name="entry">The path of the file in the image or the archive, or <see langword="null"/>.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public ProgramImageException(string name, string problem, string? entry = null, Exception? innerException = null)
        : base(
            entry is null ? $"'{name}' cannot be run: {problem}." : $"'{name}' cannot be run: its entry '{Printable(entry)}' {problem}.",
            innerException)
    {
        Name = name;
        Problem = problem;
        Entry = entry;
    }

    /// <summary>The name of the image.</summary>
    public string Name { get; }

    /// <summary>What is wrong with it, or with the entry.</summary>
    public string Problem { get; }

    /// <summary>
    /// The path of the file that is the cause, as an archive has it: it may contain control characters, which the message does not have.
    /// <see langword="null"/> if it is about the whole image.
    /// </summary>
    public string? Entry { get; }

    /// <summary>A path for a message: control characters are replaced, and it is shortened.</summary>
    internal static string Printable(string path)
    {
        string text = path.Length > MostPrinted ? path[..MostPrinted] + "..." : path;
        return string.Concat(text.Select(static character => char.IsControl(character) ? '?' : character));
    }
}

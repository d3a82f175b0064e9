using Hyperlight.Host.Diagnostics;

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
            $"'{name}' cannot be run: {(entry is null ? "" : $"its entry '{Printable(entry)}' ")}{GuestText.Escape(problem)}.",
            innerException)
    {
        Name = name;
        Problem = GuestText.Escape(problem);
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

    /// <summary>A text from an archive or a guest as part of a message.</summary>
    internal static string Printable(string text) => GuestText.Escape(text, MostPrinted);
}

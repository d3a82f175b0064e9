namespace Hyperlight;

/// <summary>A guest's file is missing, or cannot be loaded as a guest.</summary>
public class GuestBinaryException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="source">The file's path, or the name that was given instead.</param>
    /// <param name="problem">The problem.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public GuestBinaryException(string source, string problem, Exception? innerException = null)
        : base($"The guest binary '{source}' cannot be used: {problem}", innerException) => BinarySource = source;

    /// <summary>The file's path, or the name that was given instead.</summary>
    public string BinarySource { get; }
}

namespace Hyperlight;

/// <summary>A guest binary is missing or is not one that can be run.</summary>
public class GuestBinaryException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="source">The file, or what stands for it.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <param name="innerException">The cause, if another exception is.</param>
    public GuestBinaryException(string source, string problem, Exception? innerException = null)
        : base($"The guest binary '{source}' cannot be used: {problem}", innerException) => BinarySource = source;

    /// <summary>The file, or what stands for it.</summary>
    public string BinarySource { get; }
}

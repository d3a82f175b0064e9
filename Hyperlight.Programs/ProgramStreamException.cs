namespace Hyperlight.Programs;

/// <summary>
/// A stream that the application gave a program as its standard input, output or error failed. The run was ended; the inner exception
/// has the reason.
/// </summary>
public sealed class ProgramStreamException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="problem">What failed.</param>
    /// <param name="innerException">The stream's exception.</param>
    public ProgramStreamException(string problem, Exception innerException)
        : base($"The program was ended, because {problem}: {innerException?.Message}", innerException)
    {
    }
}

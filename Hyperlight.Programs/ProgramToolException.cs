namespace Hyperlight.Programs;

/// <summary>
/// A tool throws it to tell the program what is wrong: the program gets the message, and nothing of an inner exception. Messages of other
/// exceptions do not reach programs.
/// </summary>
public sealed class ProgramToolException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What the program gets.</param>
    public ProgramToolException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error.</summary>
    /// <param name="message">What the program gets.</param>
    /// <param name="innerException">The cause, which the program does not get.</param>
    public ProgramToolException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

namespace Hyperlight;

/// <summary>The base of every error this library throws for something other than a misused argument.</summary>
public class HyperlightException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What failed, with which value, and what to do.</param>
    /// <param name="innerException">The cause, if another exception is.</param>
    public HyperlightException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

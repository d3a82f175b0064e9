namespace Hyperlight;

/// <summary>The base class of the exceptions of this library, except those for invalid arguments.</summary>
public class HyperlightException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What failed, with which value, and what to do.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public HyperlightException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

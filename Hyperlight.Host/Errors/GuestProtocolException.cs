namespace Hyperlight;

/// <summary>A guest sent something that the guest ABI does not allow: a malformed message, buffer or port access.</summary>
public sealed class GuestProtocolException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What was sent, and what was expected.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public GuestProtocolException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

namespace Hyperlight;

/// <summary>A guest failed before it was ready for calls. The cause is the inner exception.</summary>
public sealed class GuestInitializationException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="problem">What happened.</param>
    /// <param name="innerException">The failure, if another exception describes it.</param>
    public GuestInitializationException(string problem, Exception? innerException = null)
        : base($"The guest failed to initialise: {problem}", innerException)
    {
    }
}

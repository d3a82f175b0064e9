namespace Hyperlight;

/// <summary>
/// A sandbox runs one call at a time: it was used while another call was in progress, on another thread or from within one
/// of its own host functions. The call in progress is not affected.
/// </summary>
public sealed class SandboxInUseException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="operation">What was attempted.</param>
    public SandboxInUseException(string operation)
        : base($"The sandbox is in use: {operation} was attempted while a call is in progress. "
            + "Use one sandbox for each concurrent call, and do not call a sandbox from its own host functions.")
    {
    }
}

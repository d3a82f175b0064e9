namespace Hyperlight;

/// <summary>
/// A sandbox was used while another operation was in progress, on another thread or in a host function of the same sandbox.
/// The operation in progress is not affected.
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

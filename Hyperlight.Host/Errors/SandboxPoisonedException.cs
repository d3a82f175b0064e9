using Hyperlight.Host.Errors;

namespace Hyperlight;

/// <summary>
/// The sandbox was left in an unknown state by an earlier failure and must not be used again: dispose it and make another.
/// </summary>
public sealed class SandboxPoisonedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="cause">The failure that poisoned the sandbox.</param>
    public SandboxPoisonedException(Exception cause)
        : base($"The sandbox is poisoned by an earlier failure and cannot be used; dispose it and make another. The failure: {(cause is null ? null : ExceptionText.MessageOf(cause))}", cause)
    {
    }
}

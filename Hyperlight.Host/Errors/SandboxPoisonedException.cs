using Hyperlight.Host.Errors;

namespace Hyperlight;

/// <summary>
/// An earlier failure left the guest in an unknown state, so that it cannot be called. Restore a snapshot with
/// <see cref="MultiUseSandbox.Restore(Snapshot)"/>, which makes the sandbox usable again, or dispose it and create another one.
/// </summary>
public sealed class SandboxPoisonedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="cause">The failure that poisoned the sandbox.</param>
    public SandboxPoisonedException(Exception cause)
        : base($"The sandbox is poisoned: an earlier failure left its guest in an unknown state. Restore a snapshot, or dispose the sandbox and create another one. The failure: {(cause is null ? null : ExceptionText.MessageOf(cause))}", cause)
    {
    }
}

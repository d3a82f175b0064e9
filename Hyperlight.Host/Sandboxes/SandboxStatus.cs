namespace Hyperlight;

/// <summary>What can be done with a sandbox.</summary>
public enum SandboxStatus
{
    /// <summary>The sandbox can be called.</summary>
    Ready,

    /// <summary>A failure left the guest in an unknown state. Restoring a snapshot makes the sandbox usable again.</summary>
    Poisoned,

    /// <summary>The sandbox was disposed.</summary>
    Disposed,
}

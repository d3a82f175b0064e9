namespace Hyperlight;

/// <summary>What can be done with a sandbox.</summary>
public enum SandboxStatus
{
    /// <summary>It can be called.</summary>
    Ready,

    /// <summary>A failure left the guest in an unknown state; the sandbox can only be disposed.</summary>
    Poisoned,

    /// <summary>It was disposed.</summary>
    Disposed,
}

namespace Hyperlight;

/// <summary>What a pool does between two uses of a sandbox.</summary>
public enum SandboxIsolation
{
    /// <summary>
    /// The default: the clean state is restored after each use, so that nothing of a use reaches the next one. A sandbox
    /// that cannot be restored is replaced.
    /// </summary>
    RestoreAfterUse,

    /// <summary>
    /// The guest keeps its state for the next use with the same key, such as a session or a tenant. A sandbox never serves two
    /// keys: before it serves another one, the clean state is restored. The state of a key is lost when the sandbox is
    /// poisoned, when it is idle for <see cref="SandboxPoolOptions.IdleTimeout"/>, and when its place is needed for another key.
    /// </summary>
    KeepStatePerKey,

    /// <summary>Each use gets a new virtual machine, which is disposed afterwards.</summary>
    NewSandboxEachTime,

    /// <summary>
    /// NO ISOLATION BETWEEN USES. The guest keeps its memory from one use to the next, also for another caller: secrets of one
    /// caller can be read by the next, and a caller that corrupts the guest affects all later ones. Use it only if all callers of the
    /// pool trust each other and the guest. The host is isolated from the guest in the same way as in the other modes.
    /// </summary>
    None,
}

namespace Hyperlight.Linux;

/// <summary>Makes a vCPU leave its guest where no signal can be sent to its thread.</summary>
internal interface IForcedExit
{
    /// <summary>Whether something was done, if only in part, and not undone.</summary>
    bool IsInEffect { get; }

    /// <summary>Forces the vCPU out, from any thread, and keeps it from going on with the guest until it is undone.</summary>
    /// <returns>Whether it must leave now. If not, this can be tried again.</returns>
    bool TryForce();

    /// <summary>Undoes what was done. Called by the vCPU's thread, outside the guest.</summary>
    /// <exception cref="HypervisorException">The kernel refused; this can be tried again.</exception>
    void Undo();
}

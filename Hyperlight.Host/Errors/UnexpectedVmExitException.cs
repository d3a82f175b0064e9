using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>The vCPU stopped for a reason that no guest should cause, such as a triple fault. The sandbox is poisoned.</summary>
public sealed class UnexpectedVmExitException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="exit">The exit.</param>
    /// <param name="hint">What may have caused it and what to do, or <see langword="null"/>.</param>
    public UnexpectedVmExitException(VmExit exit, string? hint = null)
        : base($"Unexpected VM exit: {exit}.{(hint is null ? string.Empty : " " + hint)}") => Exit = exit;

    /// <summary>The exit.</summary>
    public VmExit Exit { get; }
}

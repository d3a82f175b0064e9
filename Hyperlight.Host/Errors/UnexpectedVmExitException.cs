using Hyperlight.Abstractions;
using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>The vCPU stopped unexpectedly, for example because of a triple fault. The sandbox is poisoned.</summary>
public sealed class UnexpectedVmExitException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="exit">The exit.</param>
    /// <param name="hint">What may have caused it and what to do, or <see langword="null"/>.</param>
    public UnexpectedVmExitException(VmExit exit, string? hint = null)
        : base($"Unexpected VM exit: {exit}.{(hint is null ? string.Empty : " " + hint)}") => Exit = exit;

    /// <summary>What went wrong, and at which instruction of the guest, if that is known.</summary>
    public override string Message => FaultLocator.Append(base.Message, Location);

    /// <summary>Where in its ELF file the guest was, such as <c>0x1174 in main+0x12</c>, if that is known.</summary>
    internal string? Location { get; init; }

    /// <summary>The exit.</summary>
    public VmExit Exit { get; }
}

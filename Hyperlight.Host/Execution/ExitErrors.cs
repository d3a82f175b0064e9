using Hyperlight.Abstractions;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Execution;

/// <summary>Turns exits that no well-behaved guest causes into typed errors.</summary>
internal static class ExitErrors
{
    private const string ShutdownHint =
        "The guest met a processor exception that it could not handle; before it has set up its exception handlers any exception ends like this.";

    private const string EmulationHint =
        "Privileged guest code is executed by emulation here, and the emulation lacks the instruction. Build the guest for general "
        + "registers only (-mgeneral-regs-only), or use a host with hardware virtualization or another driver.";

    /// <summary>The error for an exit.</summary>
    /// <param name="exit">The exit.</param>
    /// <param name="mappings">What is mapped besides the guest's image and scratch memory.</param>
    /// <param name="location">Where the guest was, if that is known.</param>
    public static HyperlightException Translate(in VmExit exit, MappedRegions mappings, string? location) => exit.Reason switch
    {
        VmExitReason.MmioRead => AccessErrors.Explain(mappings, exit.Address, MemoryFlags.Read, location),
        VmExitReason.MmioWrite => AccessErrors.Explain(mappings, exit.Address, MemoryFlags.Write, location),
        VmExitReason.AccessViolation => AccessErrors.Explain(mappings, exit.Address, exit.Attempted, location),
        VmExitReason.IoIn => new GuestProtocolException(
            $"The guest read {exit.AccessSize} byte(s) from I/O port {exit.Port}; the guest ABI has no ports to read."),
        VmExitReason.Shutdown => new UnexpectedVmExitException(exit, ShutdownHint) { Location = location },
        VmExitReason.EmulationFailure => new UnexpectedVmExitException(exit, EmulationHint) { Location = location },
        _ => new UnexpectedVmExitException(exit) { Location = location },
    };
}

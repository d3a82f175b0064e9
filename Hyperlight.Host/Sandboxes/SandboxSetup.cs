using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Functions;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Sandboxes;

/// <summary>What a sandbox is made of besides its memory and its virtual machine.</summary>
internal sealed record SandboxSetup(
    HypervisorSelection Hypervisor,
    GuestBinary? Guest,
    string Source,
    SandboxConfiguration Configuration,
    HostFunctionTable Functions,
    DebugOutput DebugOutput,
    SinkFailures SinkFailures,
    ILogger Logger,
    GuestLog GuestLog)
{
    /// <summary>The log level handed to the guest.</summary>
    public GuestLogLevel GuestLogLevel => Configuration.GuestLogLevel ?? GuestLog.MostVerboseLevel;
}

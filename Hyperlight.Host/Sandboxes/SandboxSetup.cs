using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Functions;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Sandboxes;

/// <summary>What a sandbox is made of besides its memory and its virtual machine.</summary>
internal sealed record SandboxSetup(
    long Id,
    HypervisorSelection Hypervisor,
    GuestBinary? Guest,
    string Source,
    SandboxConfiguration Configuration,
    HostFunctionTable Functions,
    GuestOutput Output,
    DebugOutput DebugOutput,
    SinkFailures SinkFailures,
    ILogger Logger,
    GuestLog GuestLog,
    GuestThreads Threads,
    SandboxTelemetry Telemetry);

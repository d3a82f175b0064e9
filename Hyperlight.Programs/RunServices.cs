using Hyperlight.Programs.Directories;
using Hyperlight.Programs.Network;
using Hyperlight.Programs.Tools;

namespace Hyperlight.Programs;

/// <summary>What the host functions of the kernel use while a program runs.</summary>
internal sealed record RunServices(
    ProgramStreams Streams,
    StandardInput Input,
    RunFiles Files,
    HostDirectories Directories,
    ToolCalls Tools,
    HostNetwork Network,
    RunBudget Budget)
{
    /// <summary>What the kernel waits with.</summary>
    public HostWait Wait { get; } = new(Input, Network);
}

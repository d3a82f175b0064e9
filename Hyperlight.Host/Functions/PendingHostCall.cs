using Hyperlight.Host.Diagnostics.Telemetry;

namespace Hyperlight.Host.Functions;

/// <summary>A call of a host function whose task has not completed. The guest cannot be entered before it has the answer.</summary>
/// <param name="function">The host function.</param>
/// <param name="task">Completes when the function does.</param>
/// <param name="sendResult">Takes the result from the task and sends it. The task has completed.</param>
internal sealed class PendingHostCall(HostFunction function, Task task, HostFunctionBody sendResult)
{
    /// <summary>The host function.</summary>
    public HostFunction Function => function;

    /// <summary>Completes when the function does.</summary>
    public Task Task => task;

    /// <summary>What is observed of the call, which goes on until the task has completed.</summary>
    public Observation Observation { get; set; }

    /// <summary>Sends the result, or throws what the function has thrown. The task has completed.</summary>
    public void SendResult(ref HostFunctionFrame frame) => sendResult(ref frame);
}

namespace Hyperlight.Host.Functions;

/// <summary>How a call of a host function went; the default value stands for an answer that is on the guest's input buffer.</summary>
/// <param name="Failure">How it failed, if it did. The guest has the error.</param>
/// <param name="Pending">The call, if the function has not completed. The guest has no answer yet.</param>
internal readonly record struct HostFunctionAnswer(HostFunctionFailure? Failure, PendingHostCall? Pending = null);

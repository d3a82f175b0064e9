namespace Hyperlight.Host.Execution;

/// <summary>Connects a cancellation token with a call.</summary>
internal static class CallCancellation
{
    public static CancellationTokenRegistration Register(InterruptState interrupts, CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static state => ((InterruptState)state!).Request(), interrupts);

    /// <summary>The token's own exception if the token was the cause.</summary>
    public static Exception Translate(ExecutionCanceledException exception, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
            ? new OperationCanceledException(exception.Message, exception, cancellationToken)
            : exception;
}

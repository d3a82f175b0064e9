namespace Hyperlight.Host.Execution.Waiting;

/// <summary>A call that waits outside the guest, for a host function or for a thread. It stops waiting when the call is to end.</summary>
internal interface ICallWaiter
{
    /// <summary>The number of the call.</summary>
    ulong Operation { get; }

    /// <summary>
    /// The call is to end: it does not wait any longer. Called on the thread that ends the call; returns soon, runs no code of
    /// the application and does not throw.
    /// </summary>
    void End();
}

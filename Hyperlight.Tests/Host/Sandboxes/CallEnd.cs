namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>The ways to end a call from outside.</summary>
internal static class CallEnd
{
    /// <summary>Asks a call to end. If that is up to its time limit, the time is over now.</summary>
    /// <param name="reason">What ends the call.</param>
    /// <param name="sandbox">The sandbox.</param>
    /// <param name="source">The source of the call's token.</param>
    /// <returns>Whether the interrupt handle found the guest running.</returns>
    public static bool Request(CancellationReason reason, MultiUseSandbox sandbox, CancellationTokenSource source)
    {
        switch (reason)
        {
            case CancellationReason.CancellationToken:
                source.Cancel();
                break;
            case CancellationReason.InterruptHandle:
                return sandbox.InterruptHandle.Cancel();
            case CancellationReason.Disposal:
                sandbox.Dispose();
                break;
            case CancellationReason.Timeout:
                TimeLimits.ExpireAll();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(reason), reason, "This test does not know it.");
        }

        return false;
    }
}

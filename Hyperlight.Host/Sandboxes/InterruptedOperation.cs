namespace Hyperlight.Host.Sandboxes;

/// <summary>The operation that a request to end found in progress; the default value stands for none.</summary>
/// <param name="Number">Its number.</param>
/// <param name="WasInGuest">Whether the guest was running.</param>
internal readonly record struct InterruptedOperation(ulong Number, bool WasInGuest)
{
    /// <summary>Whether there was none.</summary>
    public bool IsNone => Number == 0;
}

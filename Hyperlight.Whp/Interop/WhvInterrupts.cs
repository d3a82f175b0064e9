namespace Hyperlight.Whp.Interop;

/// <summary>WHV_X64_PENDING_INTERRUPTION_REGISTER.</summary>
internal static class WhvPendingInterruption
{
    public const ulong InterruptionPending = 1;

    private const int VectorShift = 16;

    /// <summary>WHvX64PendingInterrupt, which is zero, with a vector.</summary>
    public static ulong External(byte vector) => InterruptionPending | ((ulong)vector << VectorShift);
}

/// <summary>WHV_X64_INTERRUPT_STATE_REGISTER.</summary>
internal static class WhvInterruptState
{
    public const ulong InterruptShadow = 1;
}

/// <summary>WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER.</summary>
internal static class WhvDeliverabilityNotifications
{
    public const ulong InterruptNotification = 1 << 1;
}

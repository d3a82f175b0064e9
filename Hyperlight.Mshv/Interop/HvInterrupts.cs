namespace Hyperlight.Mshv.Interop;

/// <summary>union hv_x64_pending_interruption_register of hyperv/hvgdk_mini.h.</summary>
internal static class HvPendingInterruption
{
    public const ulong InterruptionPending = 1;

    private const int VectorShift = 16;

    /// <summary>An external interrupt, whose type is zero.</summary>
    public static ulong External(byte vector) => InterruptionPending | ((ulong)vector << VectorShift);
}

/// <summary>union hv_x64_interrupt_state_register of hyperv/hvgdk_mini.h.</summary>
internal static class HvInterruptState
{
    public const ulong InterruptShadow = 1;
}

/// <summary>HV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER of the hypervisor's functional specification.</summary>
internal static class HvDeliverabilityNotifications
{
    public const ulong InterruptNotification = 1 << 1;
}

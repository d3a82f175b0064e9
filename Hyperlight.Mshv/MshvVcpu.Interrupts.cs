using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// External interrupts. The partition has no local APIC, whose state would be another that a guest can change: interrupts are
/// written to the register of the pending interruption, which is delivered when the processor is entered.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    private const ulong InterruptFlag = 1 << 9;

    /// <summary>The hypervisor was asked to say when the guest can be interrupted, and has not done so yet.</summary>
    private bool _isWindowRequested;

    /// <summary>The guest was left at HLT, which ends what STI holds back, whatever the register says.</summary>
    private bool _isHalted;

    /// <summary>Interrupts the guest when it is entered, or has the hypervisor say when it can be interrupted.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused a register; it is named.</exception>
    public bool TryInject(byte vector)
    {
        Span<HvRegisterAssoc> state =
        [
            Register(HvRegisterNames.HV_REGISTER_INTERRUPT_STATE),
            Register(HvRegisterNames.HV_REGISTER_PENDING_INTERRUPTION),
        ];
        GetRegisters(state);
        bool isInShadow = (state[0].Value.Reg64 & HvInterruptState.InterruptShadow) != 0;
        bool isPossible = (GetGeneralRegisters().Rflags & InterruptFlag) != 0
            && (!isInShadow || _isHalted)
            && (state[1].Value.Reg64 & HvPendingInterruption.InterruptionPending) == 0;
        if (isPossible)
        {
            state[0].Value.Reg64 &= ~HvInterruptState.InterruptShadow;
            state[1].Value.Reg64 = HvPendingInterruption.External(vector);
            SetRegisters(isInShadow ? state : state[1..]);
        }
        else if (!_isWindowRequested)
        {
            RequestWindow(HvDeliverabilityNotifications.InterruptNotification);
        }

        return isPossible;
    }

    private void RequestWindow(ulong notifications)
    {
        SetRegisters([Register(HvRegisterNames.HV_X64_REGISTER_DELIVERABILITY_NOTIFICATIONS, notifications)]);
        _isWindowRequested = notifications != 0;
    }

    /// <summary>Called at each exit.</summary>
    private void NoteExit(VmExitReason reason)
    {
        _isHalted = reason == VmExitReason.Halt;
        _isWindowRequested &= reason != VmExitReason.InterruptWindow;
    }

    /// <summary>Nothing is to interrupt the guest any more. The pending interruption itself is discarded with other events.</summary>
    private void DiscardInterrupts()
    {
        if (_isWindowRequested)
        {
            RequestWindow(0);
        }
    }
}

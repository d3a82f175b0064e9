using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// External interrupts. The partition has no local APIC, whose state would be another that a guest can change: interrupts are
/// written to the register of the pending interruption, which is delivered when the processor is entered.
/// </summary>
internal sealed unsafe partial class WhpVcpu
{
    private const ulong InterruptFlag = 1 << 9;

    /// <summary>The pending interruption that waits to be written.</summary>
    private ulong _interruption;

    /// <summary>The platform was asked to say when the guest can be interrupted, and has not done so yet.</summary>
    private bool _isWindowRequested;

    /// <summary>The guest was left at HLT, which ends what STI holds back, whatever the register says.</summary>
    private bool _isHalted;

    /// <summary>The interrupt state that has to be written with the interruption, because it says that the guest is in a shadow.</summary>
    private ulong? _interruptState;

    /// <summary>Interrupts the guest when it is entered, or has the platform say when it can be interrupted.</summary>
    /// <exception cref="HypervisorException">A register cannot be read; it is named.</exception>
    public bool TryInject(byte vector)
    {
        bool isPossible = (GetGeneralRegisters().Rflags & InterruptFlag) != 0 && CanDeliver();
        if (isPossible)
        {
            _interruption = WhvPendingInterruption.External(vector);
            _waiting |= Waiting.Interruption;
        }
        else if (!_isWindowRequested)
        {
            _isWindowRequested = true;
            _waiting |= Waiting.Notifications;
        }

        return isPossible;
    }

    /// <summary>Whether no other event is pending, and no interrupt shadow, when the processor is entered.</summary>
    private bool CanDeliver()
    {
        if ((_waiting & Waiting.Interruption) != 0)
        {
            return false;
        }

        _interruptState = null;
        if ((_waiting & Waiting.PendingEvents) != 0)
        {
            return true;
        }

        Begin();
        Add(WhvRegisterNames.WHvRegisterInterruptState);
        Add(WhvRegisterNames.WHvRegisterPendingInterruption);
        Get();
        ulong state = Values[0].Reg64;
        bool isInShadow = (state & WhvInterruptState.InterruptShadow) != 0;
        _interruptState = isInShadow ? state & ~WhvInterruptState.InterruptShadow : null;
        return (!isInShadow || _isHalted) && (Values[1].Reg64 & WhvPendingInterruption.InterruptionPending) == 0;
    }

    /// <summary>Adds what waits of interrupts, after the events that are discarded.</summary>
    private void AddInterrupts()
    {
        if ((_waiting & Waiting.Interruption) != 0)
        {
            Add(WhvRegisterNames.WHvRegisterPendingInterruption, _interruption);
            if (_interruptState is { } state)
            {
                Add(WhvRegisterNames.WHvRegisterInterruptState, state);
            }
        }

        if ((_waiting & Waiting.Notifications) != 0)
        {
            Add(
                WhvRegisterNames.WHvX64RegisterDeliverabilityNotifications,
                _isWindowRequested ? WhvDeliverabilityNotifications.InterruptNotification : 0);
        }
    }

    /// <summary>Called at each exit.</summary>
    private void NoteExit(VmExitReason reason)
    {
        _isHalted = reason == VmExitReason.Halt;
        _isWindowRequested &= reason != VmExitReason.InterruptWindow;
    }

    /// <summary>Nothing is to interrupt the guest any more.</summary>
    private void DiscardInterrupts()
    {
        _waiting &= ~Waiting.Interruption;
        if (_isWindowRequested)
        {
            _isWindowRequested = false;
            _waiting |= Waiting.Notifications;
        }
    }
}

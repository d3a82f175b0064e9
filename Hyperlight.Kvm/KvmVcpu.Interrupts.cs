using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// External interrupts, by KVM_INTERRUPT: the machine has no interrupt controller in the kernel. KVM says at each exit whether the
/// guest can be interrupted; an interrupt that is injected when it cannot would fail the next entry.
/// </summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>What the run page says of the interrupts is true of the guest as it will be entered.</summary>
    private bool _isReadinessKnown;

    /// <summary>Interrupts the guest at the next entry, or has it exit as soon as it can be interrupted.</summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public bool TryInject(byte vector)
    {
        ThrowIfDisposed();
        if (!_isReadinessKnown || RunPage->ReadyForInterruptInjection == 0)
        {
            RunPage->RequestInterruptWindow = 1;
            return false;
        }

        // SAFETY: a local structure of the request's type, which the kernel only reads.
        KvmInterrupt interrupt = new() { Irq = vector };
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_INTERRUPT, &interrupt), nameof(KvmIoctls.KVM_INTERRUPT));
        RunPage->RequestInterruptWindow = 0;
        _isReadinessKnown = false;
        return true;
    }

    /// <summary>Called at each exit.</summary>
    private void NoteReadiness()
    {
        _isReadinessKnown = true;
        if (RunPage->ExitReason == KvmRun.KVM_EXIT_IRQ_WINDOW_OPEN)
        {
            RunPage->RequestInterruptWindow = 0;
        }
    }

    /// <summary>Nothing is to interrupt the guest any more. What was injected is one of the events.</summary>
    private void DiscardInterrupts()
    {
        _isReadinessKnown = false;
        RunPage->RequestInterruptWindow = 0;
    }
}

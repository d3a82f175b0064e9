using Hyperlight.Kvm.Interop;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Kvm;

/// <summary>Entering the guest.</summary>
internal sealed unsafe partial class KvmVcpu
{
    private ulong _signalMask;
    private bool _hasSignalMask;

    /// <summary>KVM_SET_SIGNAL_MASK: the signals that stay blocked while the guest runs.</summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public void UseSignalMask(ulong blocked)
    {
        if (_hasSignalMask && _signalMask == blocked)
        {
            return;
        }

        // SAFETY: a local structure of the request's type, with its length in it.
        KvmSignalMask mask = new() { Len = Signals.SetSize, Sigset = blocked };
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_SIGNAL_MASK, &mask), nameof(KvmIoctls.KVM_SET_SIGNAL_MASK));
        _signalMask = blocked;
        _hasSignalMask = true;
    }

    /// <summary>KVM_RUN.</summary>
    /// <returns>0 when the run page holds an exit, or a negative errno.</returns>
    public int Run()
    {
        // Not every error comes with an exit, and an old one must not be taken for it.
        RunPage->ExitReason = KvmRun.KVM_EXIT_UNKNOWN;
        _pendingAccess = PendingAccess.None;
        MayHoldTranslations = true;
        int result = _handle.Ioctl(KvmIoctls.KVM_RUN, 0);
        NoteReadiness();
        if (result >= 0)
        {
            _generalRegistersKnown = _syncRegs;
        }
        else if (!_syncRegs)
        {
            _generalRegistersKnown = false;
        }

        return result;
    }
}

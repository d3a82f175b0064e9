using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// Special registers. A set that KVM has taken once, it takes again: resetting a machine to the same set time after time
/// goes through the run page, which costs no call. Any other set goes to KVM at once, so that a refusal is reported here.
/// </summary>
/// <remarks>
/// The processor has cached translations of virtual addresses, and page tables may have changed in memory since. KVM drops
/// them when KVM_SET_SREGS changes CR0, CR3, CR4 or EFER, and not when they keep their values, as they do when a machine is
/// reset. So another CR4 is set before. Global pages are flipped in it: that flushes everything, also by the architecture.
/// </remarks>
internal sealed unsafe partial class KvmVcpu
{
    private const ulong Cr4GlobalPages = 1 << 7;

    private SpecialRegisters _accepted;
    private bool _hasAccepted;

    /// <summary>Whether translations of virtual addresses may be cached, as the vCPU has run since they were dropped.</summary>
    public bool MayHoldTranslations { get; private set; }

    /// <summary>Whether the run page holds a set for KVM to load at the next entry.</summary>
    private bool IsSpecialPending => (RunPage->DirtyRegs & KvmCapabilities.KVM_SYNC_X86_SREGS) != 0;

    public SpecialRegisters GetSpecialRegisters()
    {
        ThrowIfDisposed();
        if (IsSpecialPending)
        {
            return _accepted;
        }

        FlushEvents();

        // SAFETY: a local structure of the request's type, which the kernel fills.
        KvmSregs sregs;
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_GET_SREGS, &sregs), nameof(KvmIoctls.KVM_GET_SREGS));
        return RegisterConversion.ToSpecial(in sregs);
    }

    public void SetSpecialRegisters(in SpecialRegisters registers)
    {
        ThrowIfDisposed();
        if (MayHoldTranslations)
        {
            LoadSpecialRegisters(registers with { Cr4 = registers.Cr4 ^ Cr4GlobalPages });
            MayHoldTranslations = false;
        }

        if (_syncSregs && _hasAccepted && registers == _accepted)
        {
            RegisterConversion.FromSpecial(in registers, out RunPage->Sregs);
            RunPage->DirtyRegs |= KvmCapabilities.KVM_SYNC_X86_SREGS;
        }
        else
        {
            WriteSpecialRegisters(in registers);
        }

        // Without an in-kernel interrupt controller KVM loads CR8 from the run page at each entry.
        RunPage->Cr8 = registers.Cr8;
    }

    /// <summary>Has KVM load what the run page holds, before anything is read or written that is part of it.</summary>
    private void FlushSpecialRegisters()
    {
        ThrowIfDisposed();
        if (IsSpecialPending)
        {
            WriteSpecialRegisters(in _accepted);
        }
    }

    private void WriteSpecialRegisters(in SpecialRegisters registers)
    {
        LoadSpecialRegisters(in registers);
        _accepted = registers;
        _hasAccepted = true;
    }

    /// <summary>KVM_SET_SREGS. What the run page held is not loaded any more.</summary>
    private void LoadSpecialRegisters(in SpecialRegisters registers)
    {
        RegisterConversion.FromSpecial(in registers, out KvmSregs sregs);
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_SREGS, &sregs), nameof(KvmIoctls.KVM_SET_SREGS));
        RunPage->DirtyRegs &= ~(ulong)KvmCapabilities.KVM_SYNC_X86_SREGS;
    }
}

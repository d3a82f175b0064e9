using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>What it takes besides the register sets to put a vCPU to another use.</summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>XCR0 of a processor without XSAVE: x87 state is always there.</summary>
    private const ulong X87Only = 1;

    /// <summary>Which events <see cref="DiscardPendingState"/> clears, besides those that are always valid.</summary>
    private uint EventFlags => KvmVcpuEvents.KVM_VCPUEVENT_VALID_NMI_PENDING | KvmVcpuEvents.KVM_VCPUEVENT_VALID_SHADOW
        | (_facts.HasTripleFaultEvent ? KvmVcpuEvents.KVM_VCPUEVENT_VALID_TRIPLE_FAULT : 0);

    /// <summary>KVM_GET_XCRS.</summary>
    public ulong GetXcr0()
    {
        if (!_hasXcrs)
        {
            return X87Only;
        }

        // SAFETY: a local structure of the request's type, which the kernel fills. There is only one extended control register.
        KvmXcrs xcrs;
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_GET_XCRS, &xcrs), nameof(KvmIoctls.KVM_GET_XCRS));
        return xcrs.NrXcrs == 0 ? X87Only : xcrs.Value;
    }

    /// <summary>KVM_SET_XCRS.</summary>
    public void SetXcr0(ulong value)
    {
        if (!_hasXcrs && value == X87Only)
        {
            return;
        }

        // SAFETY: a local structure of the request's type, zero but for what is set here.
        KvmXcrs xcrs = default;
        xcrs.NrXcrs = 1;
        xcrs.Value = value;
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_XCRS, &xcrs), nameof(KvmIoctls.KVM_SET_XCRS));
    }

    /// <summary>
    /// KVM_SET_VCPU_EVENTS with nothing pending, through the run page where that is possible. KVM would otherwise deliver an
    /// exception, and report a triple fault, that the last run did not get to, whatever was made of the registers since. An OUT is finished too: KVM
    /// moves RIP if the linear address is the same, which a code segment with a base can make that of another RIP.
    /// </summary>
    /// <exception cref="HypervisorException">KVM refused, or still does not finish an access.</exception>
    public void DiscardPendingState()
    {
        ThrowIfDisposed();
        FinishAccess();
        DiscardInterrupts();
        RunPage->Events = new KvmVcpuEvents { Flags = EventFlags };
        if (_syncEvents)
        {
            RunPage->DirtyRegs |= KvmCapabilities.KVM_SYNC_X86_EVENTS;
        }
        else
        {
            WriteEvents();
        }
    }

    /// <summary>
    /// Has KVM load the events that the run page holds before debug or special registers are read: when it is asked for them, KVM changes DR6 or
    /// CR2 for an exception that is pending.
    /// </summary>
    private void FlushEvents()
    {
        if ((RunPage->DirtyRegs & KvmCapabilities.KVM_SYNC_X86_EVENTS) != 0)
        {
            WriteEvents();
            RunPage->DirtyRegs &= ~(ulong)KvmCapabilities.KVM_SYNC_X86_EVENTS;
        }
    }

    /// <summary>KVM_SET_VCPU_EVENTS with what the run page holds.</summary>
    private void WriteEvents() =>
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_VCPU_EVENTS, &RunPage->Events), nameof(KvmIoctls.KVM_SET_VCPU_EVENTS));
}

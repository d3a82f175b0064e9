using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// General and debug registers. General registers live in the run page: with KVM_CAP_SYNC_REGS the kernel stores
/// them there at each exit and loads them at the next entry if they are marked as changed. Without it the kernel leaves
/// that part of the page alone, and it serves as a cache.
/// </summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>Whether the run page holds the vCPU's general registers.</summary>
    private bool _generalRegistersKnown;

    public GeneralRegisters GetGeneralRegisters()
    {
        ThrowIfDisposed();
        if (!_generalRegistersKnown)
        {
            // SAFETY: the run page has room for the structure, and outlives the call.
            int result = _handle.Ioctl(KvmIoctls.KVM_GET_REGS, &RunPage->Regs);
            KvmError.Check(result, nameof(KvmIoctls.KVM_GET_REGS));
            _generalRegistersKnown = true;
        }

        return RegisterConversion.ToGeneral(in RunPage->Regs);
    }

    public void SetGeneralRegisters(in GeneralRegisters registers)
    {
        ThrowIfDisposed();
        LeaveOut(registers.Rip);
        _isReadinessKnown = false;
        RegisterConversion.FromGeneral(in registers, out RunPage->Regs);
        if (_syncRegs)
        {
            RunPage->DirtyRegs |= KvmCapabilities.KVM_SYNC_X86_REGS;
            _generalRegistersKnown = true;
        }
        else
        {
            WriteGeneralRegisters();
        }
    }

    /// <summary>KVM_GET_DEBUGREGS.</summary>
    /// <exception cref="HypervisorException">KVM refused.</exception>
    public DebugRegisters GetDebugRegisters()
    {
        ThrowIfDisposed();
        FlushEvents();

        // SAFETY: a local structure of the request's type, which the kernel fills.
        KvmDebugregs debugregs;
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_GET_DEBUGREGS, &debugregs), nameof(KvmIoctls.KVM_GET_DEBUGREGS));
        return RegisterConversion.ToDebug(in debugregs);
    }

    public void SetDebugRegisters(in DebugRegisters registers)
    {
        RegisterConversion.FromDebug(in registers, out KvmDebugregs debugregs);
        KvmError.Check(_handle.Ioctl(KvmIoctls.KVM_SET_DEBUGREGS, &debugregs), nameof(KvmIoctls.KVM_SET_DEBUGREGS));
    }

    /// <summary>KVM_SET_REGS, also where the run page could carry them to the next entry.</summary>
    private void WriteGeneralRegisters(in GeneralRegisters registers)
    {
        _isReadinessKnown = false;
        RegisterConversion.FromGeneral(in registers, out RunPage->Regs);
        WriteGeneralRegisters();
    }

    /// <summary>KVM_SET_REGS with what the run page holds.</summary>
    private void WriteGeneralRegisters()
    {
        _generalRegistersKnown = false;
        int result = _handle.Ioctl(KvmIoctls.KVM_SET_REGS, &RunPage->Regs);
        KvmError.Check(result, nameof(KvmIoctls.KVM_SET_REGS));
        _generalRegistersKnown = true;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_runPage.IsClosed, typeof(KvmVirtualMachine));
}

using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>Which model-specific registers the guest can change.</summary>
internal sealed unsafe partial class KvmVcpu
{
    private readonly KvmHostFacts _facts;
    private readonly MsrPolicy _policy;

    /// <summary>
    /// The registers that a restore has to put back: what the policy says, or everything where KVM cannot deny the rest.
    /// </summary>
    public ReadOnlyMemory<uint> GuestWritableMsrs =>
        _facts.HasMsrFilter ? _facts.Msrs.Existing(this, _policy.Restored) : _facts.Msrs.Writable(this);

    /// <summary>Whether KVM gives a model-specific register to the host: it answers how many of the one it was asked for.</summary>
    /// <exception cref="HypervisorException">KVM did not answer.</exception>
    public bool HasMsr(uint index) => Transfer(KvmIoctls.KVM_GET_MSRS, nameof(KvmIoctls.KVM_GET_MSRS), index, 0, out _);

    /// <summary>Whether KVM gives a model-specific register to the host, and takes the value back.</summary>
    /// <exception cref="HypervisorException">KVM did not answer.</exception>
    public bool TakesMsr(uint index) =>
        Transfer(KvmIoctls.KVM_GET_MSRS, nameof(KvmIoctls.KVM_GET_MSRS), index, 0, out ulong value)
        && Transfer(KvmIoctls.KVM_SET_MSRS, nameof(KvmIoctls.KVM_SET_MSRS), index, value, out _);

    /// <exception cref="GuestMsrException">KVM does not have a register that the policy adds.</exception>
    private void CheckAdditionalMsrs() => _policy.CheckAdditional(KvmHypervisor.DriverName, TakesMsr);

    private bool Transfer(uint request, string operation, uint index, ulong value, out ulong result)
    {
        // SAFETY: a header that announces one entry, and the entry.
        MsrBuffer buffer;
        Fill(&buffer, [new ModelSpecificRegister(index, value)]);
        int done = _handle.Ioctl(request, &buffer);
        KvmError.Check(done, operation);
        result = ((KvmMsrEntry*)buffer.Entries)->Data;
        return done == 1;
    }
}

using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// A vCPU is forced out by taking the guest's memory away, which any thread can do: KVM stops the vCPU to change the slots,
/// and then there is no instruction that the guest could execute. The guest cannot go on where it was: what it had begun
/// may have ended in a fault. Only cancellations that no signal can bring about end like this, and a cancelled guest is not
/// trusted anyway.
/// </summary>
internal sealed unsafe partial class KvmVm : IForcedExit
{
    /// <summary>What the slots hold.</summary>
    private readonly Dictionary<uint, KvmUserspaceMemoryRegion> _regions = [];

    /// <summary>The slots that were taken away.</summary>
    private readonly HashSet<uint> _withdrawn = [];

    private volatile bool _isWithdrawn;

    /// <inheritdoc/>
    public bool IsInEffect => _isWithdrawn;

    /// <summary>Takes the memory of every slot away. No slot is changed by others meanwhile, as the vCPU's thread is in the guest.</summary>
    /// <inheritdoc/>
    public bool TryForce()
    {
        foreach (uint slot in _regions.Keys)
        {
            if (!_withdrawn.Contains(slot))
            {
                if (SetRegion(new() { Slot = slot }) < 0)
                {
                    return false;
                }

                _withdrawn.Add(slot);
                _isWithdrawn = true;
            }
        }

        return true;
    }

    /// <summary>Gives the memory back.</summary>
    /// <inheritdoc/>
    public void Undo()
    {
        foreach (uint slot in _withdrawn)
        {
            KvmError.Check(SetRegion(_regions[slot]), nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
            _withdrawn.Remove(slot);
        }

        _isWithdrawn = false;
    }
}

using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// Without nested paging the processor does not use the guest's page tables, but what KVM has made of them. KVM notices when
/// the guest writes a page table, and not when the host does, as it does when it resets a machine. It drops all it has made
/// when memory is taken away.
/// </summary>
internal sealed unsafe partial class KvmVm
{
    /// <summary>Takes the memory that the guest can write, where its page tables are, away and gives it back.</summary>
    /// <exception cref="HypervisorException">KVM refused. What was taken away is given back before the guest is entered.</exception>
    public void DropPageTableCopies()
    {
        foreach ((uint slot, KvmUserspaceMemoryRegion region) in _regions)
        {
            if ((region.Flags & KvmUserspaceMemoryRegion.KVM_MEM_READONLY) == 0)
            {
                KvmError.Check(Withdraw(slot), nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
            }
        }

        Undo();
    }
}

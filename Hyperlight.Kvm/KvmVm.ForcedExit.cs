using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// A vCPU is forced out by replacing the guest's memory with memory that this process cannot access, which any thread can
/// do: KVM stops the vCPU to change the slots, and the guest's next access, its page tables and its stack included, ends
/// KVM_RUN with EFAULT. The guest cannot go on where it was: what it had begun may have ended in a fault. Only cancellations
/// that no signal can bring about end like this, and a cancelled guest is not trusted anyway.
/// </summary>
/// <remarks>
/// It is not sufficient to empty the slots. Where the stack for a page fault is in no slot, KVM emulates the access, cannot
/// fetch the instruction, and raises the page fault again, without end and without an exit. The same remains possible for a
/// guest whose page tables, descriptor tables and stacks were in no slot from the start: it leaves only by a signal.
/// </remarks>
internal sealed unsafe partial class KvmVm : IForcedExit
{
    /// <summary>Under this number the machine's handle holds the inaccessible memory. No slot has it.</summary>
    private const uint InaccessibleMemory = uint.MaxValue;

    /// <summary>What the slots hold.</summary>
    private readonly Dictionary<uint, KvmUserspaceMemoryRegion> _regions = [];

    /// <summary>The slots that do not hold their own memory.</summary>
    private readonly HashSet<uint> _withdrawn = [];

    /// <summary>Those of them that hold inaccessible memory. The others are empty.</summary>
    private readonly HashSet<uint> _inaccessible = [];

    private volatile bool _isWithdrawn;

    /// <inheritdoc/>
    public bool IsInEffect => _isWithdrawn;

    /// <summary>
    /// Replaces the memory of every slot. No slot is changed by others meanwhile, as the vCPU's thread is in the guest.
    /// </summary>
    /// <inheritdoc/>
    public bool TryForce()
    {
        foreach (uint slot in _regions.Keys)
        {
            if (Withdraw(slot) < 0)
            {
                return false;
            }
        }

        // A guest without memory has nothing else to be taken away.
        return _regions.Count == 0 || TryMakeInaccessible();
    }

    /// <summary>Gives the memory back.</summary>
    /// <inheritdoc/>
    public void Undo()
    {
        foreach (uint slot in _withdrawn)
        {
            Empty(slot);
            KvmError.Check(SetRegion(_regions[slot]), nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
            _withdrawn.Remove(slot);
        }

        if (handle.Holds(InaccessibleMemory))
        {
            _earlierFailures.Note(handle.StopHolding(InaccessibleMemory));
        }

        _isWithdrawn = false;
    }

    private bool TryMakeInaccessible()
    {
        if (!handle.Holds(InaccessibleMemory) && !TryHoldInaccessibleMemory())
        {
            return false;
        }

        ulong address = (ulong)handle.Held(InaccessibleMemory).DangerousGetHandle();
        foreach ((uint slot, KvmUserspaceMemoryRegion own) in _regions)
        {
            if (!_inaccessible.Contains(slot))
            {
                KvmUserspaceMemoryRegion region = own;
                (region.UserspaceAddr, region.Flags) = (address, 0);
                if (SetRegion(in region) < 0)
                {
                    return false;
                }

                _inaccessible.Add(slot);
            }
        }

        return true;
    }

    /// <summary>Reserves addresses, as many as the largest slot has, so that nothing else is mapped there.</summary>
    private bool TryHoldInaccessibleMemory()
    {
        nuint length = (nuint)_regions.Values.Max(static region => region.MemorySize);
        nint address = system.Kernel.MapMemory(
            length, LibC.PROT_NONE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE, fd: -1);
        if (address is < 0 and >= -4095)
        {
            return false;
        }

        using MemoryMapHandle memory = new(system.Kernel, address, length);
        handle.Hold(InaccessibleMemory, memory);
        return true;
    }

    /// <summary>Empties a slot that holds its own memory.</summary>
    /// <returns>Zero, also if it does not hold its own memory, or the kernel's error.</returns>
    private int Withdraw(uint slot)
    {
        int result = _withdrawn.Contains(slot) ? 0 : SetRegion(new() { Slot = slot });
        if (result >= 0)
        {
            _withdrawn.Add(slot);
            _isWithdrawn = true;
        }

        return result;
    }

    /// <summary>Empties a slot, whatever it holds.</summary>
    /// <exception cref="HypervisorException">KVM refused; the slot holds what it held.</exception>
    private void Empty(uint slot)
    {
        if (_inaccessible.Contains(slot) || !_withdrawn.Contains(slot))
        {
            KvmError.Check(SetRegion(new() { Slot = slot }), nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
            _inaccessible.Remove(slot);
        }
    }
}

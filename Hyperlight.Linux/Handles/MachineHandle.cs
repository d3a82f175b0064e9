using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>A machine's descriptor. Memory that is mapped into the machine stays alive as long as the kernel has it.</summary>
internal sealed class MachineHandle(ILinuxKernel kernel, int fd, FileDescriptorHandle device)
    : FileDescriptorHandle(kernel, fd, device)
{
    private readonly Dictionary<uint, SafeHandle> _memory = [];

    /// <summary>Whether a slot is in use.</summary>
    public bool Holds(uint slot) => _memory.ContainsKey(slot);

    /// <summary>The memory of a slot in use.</summary>
    public SafeHandle Held(uint slot) => _memory[slot];

    /// <summary>Keeps the memory of a slot alive.</summary>
    /// <exception cref="ObjectDisposedException">The memory is gone.</exception>
    public void Hold(uint slot, SafeHandle memory)
    {
        _memory.EnsureCapacity(_memory.Count + 1);
        bool added = false;
        memory.DangerousAddRef(ref added);
        _memory.Add(slot, memory);
    }

    /// <summary>Stops keeping the memory of a slot alive.</summary>
    /// <returns>The memory, which may now be released.</returns>
    public SafeHandle StopHolding(uint slot)
    {
        _memory.Remove(slot, out SafeHandle? memory);
        memory!.DangerousRelease();
        return memory;
    }

    /// <summary>The memory of all slots, for reporting what went wrong when it was released.</summary>
    public SafeHandle[] HeldMemory() => [.. _memory.Values];

    protected override void ReleaseDependents()
    {
        foreach (SafeHandle memory in _memory.Values)
        {
            memory.DangerousRelease();
        }

        _memory.Clear();
    }
}

using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Has a test act at a moment of the creation of a runner.</summary>
/// <param name="driver">The driver.</param>
/// <param name="onAllocation">Gets the number of each allocation of memory before it is made, from 1 on. The last one of a runner with a checkpoint is for its snapshot.</param>
/// <param name="onFile">Is called when the image is mapped: the machine is there, and nothing was called in it.</param>
internal sealed class ActingHypervisor(IHypervisor driver, Action<int> onAllocation, Action? onFile = null) : ForwardingHypervisor(driver)
{
    private int _allocations;

    public int Allocations => _allocations;

    public override IMemoryRegion AllocateMemory(nuint size)
    {
        onAllocation(Interlocked.Increment(ref _allocations));
        return base.AllocateMemory(size);
    }

    public override IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null)
    {
        onFile?.Invoke();
        return base.PrepareFileMapping(path, guestAddress, label);
    }
}

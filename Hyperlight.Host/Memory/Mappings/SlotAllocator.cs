namespace Hyperlight.Host.Memory.Mappings;

/// <summary>Hands out the memory slots of a virtual machine: the one freed last first, else the next unused one.</summary>
internal sealed class SlotAllocator
{
    private readonly uint _first;
    private readonly uint? _limit;
    private uint _next;

    /// <summary>Made when a slot is freed: most machines free none.</summary>
    private Stack<uint>? _free;

    /// <param name="first">The first slot to hand out; those before it have fixed uses.</param>
    /// <param name="limit">How many slots the machine has, or <see langword="null"/>.</param>
    public SlotAllocator(uint first, uint? limit)
    {
        _first = first;
        _limit = limit;
        _next = first;
    }

    /// <summary>How many slots can be handed out at most, or <see langword="null"/> if there is no limit.</summary>
    public uint? Capacity => _limit is { } count ? count - Math.Min(_first, count) : null;

    /// <summary>How many slots are handed out.</summary>
    public int InUse => (int)(_next - _first) - (_free?.Count ?? 0);

    /// <summary>Hands a slot out.</summary>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(out uint slot)
    {
        if (_free is not null && _free.TryPop(out slot))
        {
            return true;
        }

        slot = _next;
        if (slot >= _limit)
        {
            return false;
        }

        _next++;
        return true;
    }

    /// <summary>Takes a slot back.</summary>
    public void Return(uint slot) => (_free ??= new Stack<uint>()).Push(slot);
}

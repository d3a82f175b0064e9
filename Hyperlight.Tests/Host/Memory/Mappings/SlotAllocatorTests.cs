using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Tests.Host.Memory.Mappings;

/// <summary>Slots are handed out once, reused, and run out where the hypervisor's do.</summary>
[TestFixture]
internal sealed class SlotAllocatorTests
{
    [Test]
    public void Fresh_slots_count_up_and_freed_ones_come_first()
    {
        var slots = new SlotAllocator(2, limit: null);
        uint[] first = [Take(slots), Take(slots), Take(slots)];

        slots.Return(3);
        slots.Return(2);

        Assert.That(first, Is.EqualTo(new uint[] { 2, 3, 4 }));
        Assert.That(new[] { Take(slots), Take(slots), Take(slots) }, Is.EqualTo(new uint[] { 2, 3, 5 }));
        Assert.That(slots.InUse, Is.EqualTo(4));
    }

    [Test]
    public void The_limit_is_met_before_the_hypervisor_meets_it()
    {
        var slots = new SlotAllocator(2, limit: 4);

        Assert.That(slots.Capacity, Is.EqualTo(2));
        Assert.That(new[] { Take(slots), Take(slots) }, Is.EqualTo(new uint[] { 2, 3 }));
        Assert.That(slots.TryTake(out _), Is.False);
        slots.Return(2);
        Assert.That(Take(slots), Is.EqualTo(2));
        Assert.That(slots.TryTake(out _), Is.False);
    }

    [Test]
    public void A_machine_with_too_few_slots_has_none_to_hand_out()
    {
        var slots = new SlotAllocator(2, limit: 1);

        Assert.That(slots.Capacity, Is.Zero);
        Assert.That(slots.TryTake(out _), Is.False);
    }

    [FsCheck.NUnit.Property]
    public bool No_slot_is_handed_out_twice(bool[] takes)
    {
        var slots = new SlotAllocator(2, limit: 10);
        var held = new List<uint>();
        foreach (bool take in takes)
        {
            if (take && slots.TryTake(out uint slot))
            {
                if (slot is < 2 or >= 10 || held.Contains(slot))
                {
                    return false;
                }

                held.Add(slot);
            }
            else if (!take && held.Count > 0)
            {
                slots.Return(held[0]);
                held.RemoveAt(0);
            }
        }

        return slots.InUse == held.Count;
    }

    private static uint Take(SlotAllocator slots)
    {
        Assert.That(slots.TryTake(out uint slot), Is.True);
        return slot;
    }
}

using Hyperlight.Abstractions;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Finds and reads descriptors.</summary>
internal sealed unsafe class DescriptorTables(ProcessorState* state, PendingEvent pending, LinearMemory memory)
{
    private const ulong DescriptorAccessed = 1UL << 40;
    public const ulong DescriptorBusy = 2UL << 40;
    public const int LocalTableType = 2;
    public const int AvailableTaskType = 9;
    public const int BusyTaskType = 0xB;
    public const int CallGateType = 0xC;

    public static bool IsCode(in SegmentRegister segment) => segment.IsCodeOrData && (segment.Type & 8) != 0;

    public static bool IsConforming(in SegmentRegister segment) => segment.IsCodeOrData && (segment.Type & 0xC) == 0xC;

    public static SegmentRegister FromDescriptor(ushort selector, ulong low)
    {
        uint limit = (uint)(low & 0xFFFF) | (uint)(low >> 32 & 0xF_0000);
        ushort attributes = (ushort)(low >> 40 & 0xF0FF);
        return new SegmentRegister
        {
            Selector = selector,
            Base = (low >> 16 & 0xFF_FFFF) | (low >> 32 & 0xFF00_0000),
            Limit = (attributes & 0x8000) != 0 ? (limit << 12) | 0xFFF : limit,
            Attributes = attributes,
        };
    }

    /// <summary>Finds a descriptor of some bytes in the table that its selector says. False if it is outside.</summary>
    public bool TryFind(ushort selector, int size, out ulong address)
    {
        int offset = selector & ~7;
        bool isLocal = (selector & 4) != 0;
        (ulong table, uint limit) = isLocal ? (state->Segments.Ldtr.Base, state->Segments.Ldtr.Limit) : (state->Segments.Gdtr.Base, state->Segments.Gdtr.Limit);
        address = table + (ulong)offset;
        return (!isLocal || state->Segments.Ldtr.IsPresent) && (uint)(offset + size - 1) <= limit;
    }

    /// <summary>Reads a descriptor that must be there.</summary>
    public bool Load(ushort selector, out SegmentRegister segment, out ulong low)
    {
        (segment, low) = (default, 0);
        if ((selector & ~3) == 0 || !TryFind(selector, 8, out ulong address))
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!memory.LoadSystem(address, 8, out low))
        {
            return false;
        }

        segment = FromDescriptor(selector, low);
        return true;
    }

    /// <summary>Marks a segment as accessed, in its descriptor and its register.</summary>
    public bool MarkAccessed(ushort selector, ulong low, ref SegmentRegister segment)
    {
        if ((low & DescriptorAccessed) != 0)
        {
            return true;
        }

        segment.Attributes |= 1;
        return TryFind(selector, 8, out ulong address) && memory.StoreSystem(address + 5, 1, (low | DescriptorAccessed) >> 40);
    }
}

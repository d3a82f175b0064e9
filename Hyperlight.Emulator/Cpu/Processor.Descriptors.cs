using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Descriptors and the registers of the tables that hold them.</summary>
internal sealed partial class Processor
{
    private const ulong DescriptorAccessed = 1UL << 40;
    private const ulong DescriptorBusy = 2UL << 40;
    private const int LocalTableType = 2;
    private const int AvailableTaskType = 9;
    private const int BusyTaskType = 0xB;
    private const int CallGateType = 0xC;

    private static bool IsCode(in SegmentRegister segment) => segment.IsCodeOrData && (segment.Type & 8) != 0;

    private static bool IsConforming(in SegmentRegister segment) => segment.IsCodeOrData && (segment.Type & 0xC) == 0xC;

    private static SegmentRegister FromDescriptor(ushort selector, ulong low)
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
    private bool TryFindDescriptor(ushort selector, int size, out ulong address)
    {
        int offset = selector & ~7;
        bool isLocal = (selector & 4) != 0;
        (ulong table, uint limit) = isLocal ? (_ldtr.Base, _ldtr.Limit) : (_gdtr.Base, _gdtr.Limit);
        address = table + (ulong)offset;
        return (!isLocal || _ldtr.IsPresent) && (uint)(offset + size - 1) <= limit;
    }

    /// <summary>Reads a descriptor that must be there.</summary>
    private bool LoadDescriptor(ushort selector, out SegmentRegister segment, out ulong low)
    {
        (segment, low) = (default, 0);
        if ((selector & ~3) == 0 || !TryFindDescriptor(selector, 8, out ulong address))
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!LoadSystem(address, 8, out low))
        {
            return false;
        }

        segment = FromDescriptor(selector, low);
        return true;
    }

    /// <summary>Marks a segment as accessed, in its descriptor and its register.</summary>
    private bool MarkAccessed(ushort selector, ulong low, ref SegmentRegister segment)
    {
        if ((low & DescriptorAccessed) != 0)
        {
            return true;
        }

        segment.Attributes |= 1;
        return TryFindDescriptor(selector, 8, out ulong address) && StoreSystem(address + 5, 1, (low | DescriptorAccessed) >> 40);
    }

    private bool LoadTable(ref MicroOp op, ref DescriptorTableRegister table)
    {
        ulong address = Address(ref op);
        if (!LoadTwo(address, 2, out ulong limit, 8, out ulong start))
        {
            return false;
        }

        if (!IsCanonical(start))
        {
            return Fault(GeneralProtection, 0);
        }

        table = new DescriptorTableRegister { Base = start, Limit = (ushort)limit };
        return true;
    }

    private bool StoreTable(ref MicroOp op, DescriptorTableRegister table)
    {
        ulong address = Address(ref op);
        return PrepareStore(address, 10) && Store(address, 2, table.Limit) && Store(address + 2, 8, table.Base);
    }

    /// <summary>A task or local descriptor table register: a descriptor of 16 bytes.</summary>
    private bool LoadSystemSegment(ref MicroOp op, bool isTask)
    {
        if (!ReadDestination(ref op, out ulong value))
        {
            return false;
        }

        var selector = (ushort)value;
        if (!isTask && (selector & ~3) == 0)
        {
            _ldtr = new SegmentRegister { Selector = selector };
            return true;
        }

        if ((selector & ~3) == 0 || (selector & 4) != 0 || !TryFindDescriptor(selector, 16, out ulong address))
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!LoadSystem(address, 8, out ulong low) || !LoadSystem(address + 8, 8, out ulong high))
        {
            return false;
        }

        SegmentRegister segment = FromDescriptor(selector, low);
        segment.Base |= high << 32;
        bool isRightType = !segment.IsCodeOrData && segment.Type == (isTask ? AvailableTaskType : LocalTableType);
        if (!isRightType || !IsCanonical(segment.Base))
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!segment.IsPresent)
        {
            return SelectorFault(SegmentNotPresent, selector);
        }

        if (!isTask)
        {
            _ldtr = segment;
            return true;
        }

        if (!StoreSystem(address, 8, low | DescriptorBusy))
        {
            return false;
        }

        segment.Attributes |= 2;
        _tr = segment;
        return true;
    }

    /// <summary>LAR, LSL, VERR and VERW: ZF says whether the selector may be used so. None faults because of it.</summary>
    private bool ExecuteDescriptorQuery(ref MicroOp op)
    {
        bool isVerification = op.Op is Op.Verr or Op.Verw;
        if (isVerification ? !ReadDestination(ref op, out ulong selector) : !ReadSource(ref op, 2, out selector))
        {
            return false;
        }

        ulong low = 0;
        bool exists = TryFindDescriptor((ushort)selector, 8, out ulong address) && (selector & 0xFFFC) != 0;
        if (exists && !LoadSystem(address, 8, out low))
        {
            return false;
        }

        SegmentRegister segment = FromDescriptor((ushort)selector, low);
        bool isVisible = IsConforming(in segment) || segment.PrivilegeLevel >= Math.Max(_cpl, (int)selector & 3);
        bool holds = exists && isVisible && IsQueried(op.Op, in segment);
        if (holds && !isVerification)
        {
            WriteRegister(op.DestinationRegister, op.Size, op.Op == Op.Lar ? low >> 32 & 0x00F0_FF00 : segment.Limit);
        }

        WriteArithmeticFlags((ReadFlags() & ~FlagZero) | (holds ? FlagZero : 0));
        return true;
    }

    private static bool IsQueried(Op op, in SegmentRegister segment) => op switch
    {
        Op.Verr => segment.IsCodeOrData && (segment.Type & 0xA) != 8,
        Op.Verw => segment.IsCodeOrData && (segment.Type & 0xA) == 2,
        _ => segment.IsCodeOrData || segment.Type is LocalTableType or AvailableTaskType or BusyTaskType
            || (op == Op.Lar && segment.Type == CallGateType),
    };
}

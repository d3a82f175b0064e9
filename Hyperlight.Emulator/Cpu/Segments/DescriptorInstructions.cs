using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions on descriptors and on the registers of their tables.</summary>
internal sealed unsafe class DescriptorInstructions(
    ProcessorState* state,
    Flags flags,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    DescriptorTables descriptors)
{
    public bool LoadTable(ref MicroOp op, ref DescriptorTableRegister table)
    {
        ulong address = operands.Address(ref op);
        if (!memory.LoadTwo(address, 2, out ulong limit, 8, out ulong start))
        {
            return false;
        }

        if (!LinearAddress.IsCanonical(start))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        table = new DescriptorTableRegister { Base = start, Limit = (ushort)limit };
        return true;
    }

    public bool StoreTable(ref MicroOp op, DescriptorTableRegister table)
    {
        ulong address = operands.Address(ref op);
        return memory.PrepareStore(address, 10) && memory.Store(address, 2, table.Limit) && memory.Store(address + 2, 8, table.Base);
    }

    /// <summary>A task or local descriptor table register: a descriptor of 16 bytes.</summary>
    public bool LoadSystemSegment(ref MicroOp op, bool isTask)
    {
        if (!operands.ReadDestination(ref op, out ulong value))
        {
            return false;
        }

        var selector = (ushort)value;
        if (!isTask && (selector & ~3) == 0)
        {
            state->Segments.Ldtr = new SegmentRegister { Selector = selector };
            return true;
        }

        if ((selector & ~3) == 0 || (selector & 4) != 0 || !descriptors.TryFind(selector, 16, out ulong address))
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!memory.LoadSystem(address, 8, out ulong low) || !memory.LoadSystem(address + 8, 8, out ulong high))
        {
            return false;
        }

        SegmentRegister segment = DescriptorTables.FromDescriptor(selector, low);
        segment.Base |= high << 32;
        bool isRightType = !segment.IsCodeOrData && segment.Type == (isTask ? DescriptorTables.AvailableTaskType : DescriptorTables.LocalTableType);
        if (!isRightType || !LinearAddress.IsCanonical(segment.Base))
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!segment.IsPresent)
        {
            return pending.SelectorFault(SegmentNotPresent, selector);
        }

        if (!isTask)
        {
            state->Segments.Ldtr = segment;
            return true;
        }

        if (!memory.StoreSystem(address, 8, low | DescriptorTables.DescriptorBusy))
        {
            return false;
        }

        segment.Attributes |= 2;
        state->Segments.Tr = segment;
        return true;
    }

    /// <summary>LAR, LSL, VERR and VERW: ZF says whether the selector may be used so. None faults because of it.</summary>
    public bool Query(ref MicroOp op)
    {
        bool isVerification = op.Op is Op.Verr or Op.Verw;
        if (isVerification ? !operands.ReadDestination(ref op, out ulong selector) : !operands.ReadSource(ref op, 2, out selector))
        {
            return false;
        }

        ulong low = 0;
        bool exists = descriptors.TryFind((ushort)selector, 8, out ulong address) && (selector & 0xFFFC) != 0;
        if (exists && !memory.LoadSystem(address, 8, out low))
        {
            return false;
        }

        SegmentRegister segment = DescriptorTables.FromDescriptor((ushort)selector, low);
        bool isVisible = DescriptorTables.IsConforming(in segment) || segment.PrivilegeLevel >= Math.Max(state->Segments.Cpl, (int)selector & 3);
        bool holds = exists && isVisible && IsQueried(op.Op, in segment);
        if (holds && !isVerification)
        {
            operands.WriteRegister(op.DestinationRegister, op.Size, op.Op == Op.Lar ? low >> 32 & 0x00F0_FF00 : segment.Limit);
        }

        flags.WriteArithmetic((flags.Read() & ~FlagZero) | (holds ? FlagZero : 0));
        return true;
    }

    private static bool IsQueried(Op op, in SegmentRegister segment) => op switch
    {
        Op.Verr => segment.IsCodeOrData && (segment.Type & 0xA) != 8,
        Op.Verw => segment.IsCodeOrData && (segment.Type & 0xA) == 2,
        _ => segment.IsCodeOrData || segment.Type is DescriptorTables.LocalTableType or DescriptorTables.AvailableTaskType or DescriptorTables.BusyTaskType
            || (op == Op.Lar && segment.Type == DescriptorTables.CallGateType),
    };
}

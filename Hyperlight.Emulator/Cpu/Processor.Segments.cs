using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Descriptors, and the instructions that load and store them.</summary>
internal sealed partial class Processor
{
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

    private bool LoadDescriptor(ushort selector, out ulong descriptor)
    {
        descriptor = 0;
        int offset = selector & ~7;
        return (selector & 4) != 0 || offset + 7 > _gdtr.Limit
            ? Fault(GeneralProtection, (ulong)offset)
            : Load(_gdtr.Base + (ulong)offset, 8, out descriptor);
    }

    /// <summary>A 64-bit code segment of CPL 0.</summary>
    private bool LoadCodeSegment(ushort selector, out SegmentRegister segment)
    {
        segment = default;
        if ((selector & ~3) == 0)
        {
            return Fault(GeneralProtection, 0);
        }

        if (!LoadDescriptor(selector, out ulong descriptor))
        {
            return false;
        }

        segment = FromDescriptor((ushort)(selector & ~3), descriptor);
        ulong error = (ulong)(selector & ~7);
        bool isCode = segment.IsCodeOrData && (segment.Type & 8) != 0;
        return isCode && segment.IsLong && !segment.IsDefault32 && segment.PrivilegeLevel == 0 && (selector & 3) == 0
            ? segment.IsPresent || Fault(SegmentNotPresent, error)
            : Fault(GeneralProtection, error);
    }

    private bool LoadDataSegment(ushort selector, bool isStack, out SegmentRegister segment)
    {
        segment = new SegmentRegister { Selector = selector };
        if ((selector & ~3) == 0)
        {
            return true;
        }

        if (!LoadDescriptor(selector, out ulong descriptor))
        {
            return false;
        }

        segment = FromDescriptor(selector, descriptor);
        ulong error = (ulong)(selector & ~7);
        bool fits = segment.IsCodeOrData && (isStack ? (segment.Type & 0xA) == 2 : (segment.Type & 0xA) != 8);
        return !fits ? Fault(GeneralProtection, error)
            : segment.IsPresent || Fault(isStack ? StackFaultVector : SegmentNotPresent, error);
    }

    private bool ExecuteMoveToSegment(ref MicroOp op)
    {
        if (!ReadSource(ref op, 2, out ulong selector))
        {
            return false;
        }

        int register = op.DestinationRegister;
        if (register == 1)
        {
            return Fault(InvalidOpcode, 0);
        }

        if (!LoadDataSegment((ushort)selector, register == 2, out SegmentRegister segment))
        {
            return false;
        }

        switch (register)
        {
            case 0: _es = segment; break;
            case 2: _ss = segment; break;
            case 3: _ds = segment; break;
            case 4: _fs = segment; break;
            default: _gs = segment; break;
        }

        return true;
    }

    private bool ExecuteMoveFromSegment(ref MicroOp op)
    {
        ulong selector = op.SourceRegister switch
        {
            0 => _es.Selector,
            1 => _cs.Selector,
            2 => _ss.Selector,
            3 => _ds.Selector,
            4 => _fs.Selector,
            _ => _gs.Selector,
        };
        return op.Destination == OperandKind.Memory
            ? Store(Address(ref op), 2, selector)
            : WriteDestination(ref op, selector);
    }

    private bool LoadTable(ref MicroOp op, ref DescriptorTableRegister table)
    {
        ulong address = Address(ref op);
        if (!Load(address, 2, out ulong limit) || !Load(address + 2, 8, out ulong start))
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
        return Store(address, 2, table.Limit) && Store(address + 2, 8, table.Base);
    }

    /// <summary>A task or local descriptor table register: a descriptor of 16 bytes.</summary>
    private bool LoadSystemSegment(ref MicroOp op, bool isTask)
    {
        op.Size = 2;
        if (!ReadDestination(ref op, out ulong value))
        {
            return false;
        }

        ushort selector = (ushort)value;
        if (!isTask && (selector & ~3) == 0)
        {
            _ldtr = new SegmentRegister { Selector = selector };
            return true;
        }

        ulong error = (ulong)(selector & ~7);
        if ((selector & ~3) == 0 || (int)error + 15 > _gdtr.Limit)
        {
            return Fault(GeneralProtection, error);
        }

        if (!LoadDescriptor(selector, out ulong low) || !Load(_gdtr.Base + error + 8, 8, out ulong high))
        {
            return false;
        }

        SegmentRegister segment = FromDescriptor(selector, low);
        segment.Base |= high << 32;
        if (segment.IsCodeOrData || segment.Type != (isTask ? 9 : 2))
        {
            return Fault(GeneralProtection, error);
        }

        if (!segment.IsPresent)
        {
            return Fault(SegmentNotPresent, error);
        }

        if (!isTask)
        {
            _ldtr = segment;
            return true;
        }

        const ulong Busy = 2UL << 40;
        if (!Store(_gdtr.Base + error, 8, low | Busy))
        {
            return false;
        }

        segment.Attributes |= 2;
        _tr = segment;
        return true;
    }

    private bool ExecuteInterruptReturn()
    {
        ulong rsp = _regs[Rsp];
        if (!Load(rsp, 8, out ulong rip) || !Load(rsp + 8, 8, out ulong code) || !Load(rsp + 16, 8, out ulong flags)
            || !Load(rsp + 24, 8, out ulong newRsp) || !Load(rsp + 32, 8, out ulong stack))
        {
            return StackFault(rsp);
        }

        if ((_otherFlags & FlagNestedTask) != 0 || !IsCanonical(rip))
        {
            return Fault(GeneralProtection, 0);
        }

        if (!LoadCodeSegment((ushort)code, out SegmentRegister codeSegment)
            || !LoadDataSegment((ushort)stack, isStack: true, out SegmentRegister stackSegment))
        {
            return false;
        }

        (_cs, _ss, _rip) = (codeSegment, stackSegment, rip);
        _regs[Rsp] = newRsp;
        WriteFlags(flags & ~FlagResume);
        return true;
    }

    private bool ExecuteFarReturn(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        if (!Load(rsp, op.Size, out ulong rip) || !Load(rsp + op.Size, op.Size, out ulong code))
        {
            return StackFault(rsp);
        }

        if (!LoadCodeSegment((ushort)code, out SegmentRegister segment) || !JumpTo(rip))
        {
            return false;
        }

        _cs = segment;
        _regs[Rsp] = rsp + (2UL * op.Size) + op.Immediate;
        return true;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Segment registers: loading and storing them.</summary>
internal sealed partial class Processor
{
    private const int CsIndex = 1;
    private const int SsIndex = 2;

    private ref SegmentRegister SegmentOf(int index)
    {
        switch (index)
        {
            case 0: return ref _es;
            case CsIndex: return ref _cs;
            case SsIndex: return ref _ss;
            case 3: return ref _ds;
            case 4: return ref _fs;
            default: return ref _gs;
        }
    }

    /// <summary>A null SS, as 64-bit mode allows below CPL 3. It has the DPL of the CPL all the same.</summary>
    private static SegmentRegister NullStack(ushort selector, int level) =>
        new() { Selector = selector, Attributes = (ushort)(level << 5) };

    private bool LoadSegmentRegister(int register, ushort selector) => register switch
    {
        CsIndex => Fault(InvalidOpcode, 0),
        SsIndex => LoadStackSegment(selector, _cpl, out SegmentRegister stack) && Set(ref _ss, in stack) && CastShadow(),
        _ => LoadDataSegment(selector, out SegmentRegister data) && Set(ref SegmentOf(register), in data),
    };

    private static bool Set(ref SegmentRegister register, in SegmentRegister value)
    {
        register = value;
        return true;
    }

    /// <summary>What DS, ES, FS and GS take: data, or code that can be read.</summary>
    private bool LoadDataSegment(ushort selector, out SegmentRegister segment)
    {
        segment = new SegmentRegister { Selector = selector };
        if ((selector & ~3) == 0)
        {
            return true;
        }

        if (!LoadDescriptor(selector, out segment, out ulong low))
        {
            return false;
        }

        bool isReadable = segment.IsCodeOrData && (segment.Type & 0xA) != 8;
        bool isPermitted = IsConforming(in segment) || segment.PrivilegeLevel >= Math.Max(_cpl, selector & 3);
        return !isReadable || !isPermitted ? SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? SelectorFault(SegmentNotPresent, selector)
            : MarkAccessed(selector, low, ref segment);
    }

    /// <summary>What SS takes at a privilege level: data that can be written, of just this level.</summary>
    private bool LoadStackSegment(ushort selector, int level, out SegmentRegister segment)
    {
        segment = NullStack(selector, level);
        if ((selector & ~3) == 0)
        {
            return (level != 3 && (selector & 3) == level) || Fault(GeneralProtection, 0);
        }

        if (!LoadDescriptor(selector, out segment, out ulong low))
        {
            return false;
        }

        bool isWritable = segment.IsCodeOrData && (segment.Type & 0xA) == 2;
        bool isPermitted = (selector & 3) == level && segment.PrivilegeLevel == level;
        return !isWritable || !isPermitted ? SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? SelectorFault(StackFaultVector, selector)
            : MarkAccessed(selector, low, ref segment);
    }

    /// <summary>On the way out to a less privileged level: what it may not have is taken away.</summary>
    private void DropPrivilegedSegments()
    {
        foreach (int register in (ReadOnlySpan<int>)[0, 3, 4, 5])
        {
            ref SegmentRegister segment = ref SegmentOf(register);
            if (segment.IsPresent && !IsConforming(in segment) && segment.PrivilegeLevel < _cpl)
            {
                segment = default;
            }
        }
    }

    private bool ExecuteMoveToSegment(ref MicroOp op) =>
        op.DestinationRegister == CsIndex ? Fault(InvalidOpcode, 0)
        : ReadSource(ref op, 2, out ulong selector) && LoadSegmentRegister(op.DestinationRegister, (ushort)selector);

    private bool ExecuteMoveFromSegment(ref MicroOp op)
    {
        ulong selector = SegmentOf(op.SourceRegister).Selector;
        return op.Destination == OperandKind.Memory
            ? Store(Address(ref op), 2, selector)
            : WriteDestination(ref op, selector);
    }

    private bool ExecutePopSegment(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        if (!Pop(out ulong selector, op.Size))
        {
            return false;
        }

        if (LoadSegmentRegister(op.DestinationRegister, (ushort)selector))
        {
            return true;
        }

        _regs[Rsp] = rsp;
        return false;
    }

    /// <summary>LSS, LFS and LGS: an offset and the selector behind it.</summary>
    private bool ExecuteLoadFarPointer(ref MicroOp op)
    {
        int register = op.Op switch { Op.Lss => SsIndex, Op.Lfs => 4, _ => 5 };
        ulong address = Address(ref op);
        if (!LoadTwo(address, op.Size, out ulong offset, 2, out ulong selector)
            || !LoadSegmentRegister(register, (ushort)selector))
        {
            return false;
        }

        WriteRegister(op.DestinationRegister, op.Size, offset);
        return true;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Transfers of control that load CS. Code that is not 64-bit cannot be executed here: a transfer that the processor would
/// make to it ends the run with <see cref="VmExitReason.EmulationFailure"/>.
/// </summary>
internal sealed partial class Processor
{
    private bool ExecuteInterruptReturn(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        int size = op.Size;
        ulong step = op.Size;
        if ((_otherFlags & FlagNestedTask) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        if (!Load(rsp, size, out ulong rip) || !Load(rsp + step, size, out ulong code)
            || !Load(rsp + (2 * step), size, out ulong flags) || !Load(rsp + (3 * step), size, out ulong newRsp)
            || !Load(rsp + (4 * step), size, out ulong stack))
        {
            return StackFault();
        }

        int level = (int)code & 3;
        if (!LoadReturnSegment(ref op, (ushort)code, out SegmentRegister codeSegment)
            || !LoadStackSegment((ushort)stack, level, out SegmentRegister stackSegment) || !IsTarget(rip))
        {
            return false;
        }

        WriteFlagsAs(flags, size, FlagResume);
        ReturnTo(rip, newRsp, in codeSegment, in stackSegment, level);
        if (!MustInterpret)
        {
            // It would be gone after the next instruction, and only breakpoints ask for it.
            _otherFlags &= ~FlagResume;
        }

        return true;
    }

    private bool ExecuteFarReturn(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        int size = op.Size;
        ulong step = op.Size;
        if (!Load(rsp, size, out ulong rip) || !Load(rsp + step, size, out ulong code))
        {
            return StackFault();
        }

        if (!LoadReturnSegment(ref op, (ushort)code, out SegmentRegister codeSegment))
        {
            return false;
        }

        int level = (int)code & 3;
        ulong behind = rsp + (2 * step) + op.Immediate;
        if (level == _cpl)
        {
            if (!JumpTo(rip))
            {
                return false;
            }

            (_cs, _regs[Rsp]) = (codeSegment, behind);
            return true;
        }

        if (!Load(behind, size, out ulong newRsp) || !Load(behind + step, size, out ulong stack))
        {
            return StackFault();
        }

        if (!LoadStackSegment((ushort)stack, level, out SegmentRegister stackSegment) || !IsTarget(rip))
        {
            return false;
        }

        ReturnTo(rip, newRsp + op.Immediate, in codeSegment, in stackSegment, level);
        return true;
    }

    private void ReturnTo(ulong rip, ulong rsp, in SegmentRegister code, in SegmentRegister stack, int level)
    {
        bool isOuter = level > _cpl;
        (_cs, _ss, _rip, _regs[Rsp]) = (code, stack, rip, rsp);
        SetPrivilege(level);
        if (isOuter)
        {
            DropPrivilegedSegments();
        }
    }

    /// <summary>The code segment that a return goes to, at the privilege level of its selector.</summary>
    private bool LoadReturnSegment(ref MicroOp op, ushort selector, out SegmentRegister segment)
    {
        if (!LoadDescriptor(selector, out segment, out ulong low))
        {
            return false;
        }

        int level = selector & 3;
        bool isPermitted = IsConforming(in segment) ? segment.PrivilegeLevel <= level : segment.PrivilegeLevel == level;
        return level < _cpl || !isPermitted ? SelectorFault(GeneralProtection, selector)
            : CheckCode(ref op, selector, low, ref segment);
    }

    private bool CheckCode(ref MicroOp op, ushort selector, ulong low, ref SegmentRegister segment) =>
        !IsCode(in segment) || (segment.IsLong && segment.IsDefault32) ? SelectorFault(GeneralProtection, selector)
        : !segment.IsPresent ? SelectorFault(SegmentNotPresent, selector)
        : !segment.IsLong ? ExitUnsupported(ref op)
        : MarkAccessed(selector, low, ref segment);

    /// <summary>JMP and CALL through a far pointer in memory, to a code segment or a call gate.</summary>
    private bool ExecuteFarJump(ref MicroOp op)
    {
        ulong address = Address(ref op);
        if (!LoadTwo(address, op.Size, out ulong offset, 2, out ulong pointer))
        {
            return false;
        }

        var selector = (ushort)pointer;
        if (!LoadDescriptor(selector, out SegmentRegister segment, out ulong low))
        {
            return false;
        }

        if (!segment.IsCodeOrData && segment.Type == CallGateType)
        {
            return EnterCallGate(ref op, selector, in segment, low);
        }

        bool isPermitted = IsConforming(in segment)
            ? segment.PrivilegeLevel <= _cpl
            : segment.PrivilegeLevel == _cpl && (selector & 3) <= _cpl;
        if (!isPermitted)
        {
            return SelectorFault(GeneralProtection, selector);
        }

        return CheckCode(ref op, selector, low, ref segment) && EnterSameLevel(ref op, in segment, offset, op.Size);
    }

    private bool EnterCallGate(ref MicroOp op, ushort selector, in SegmentRegister gate, ulong low)
    {
        if (gate.PrivilegeLevel < Math.Max(_cpl, selector & 3))
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!gate.IsPresent)
        {
            return SelectorFault(SegmentNotPresent, selector);
        }

        if (!TryFindDescriptor(selector, 16, out ulong address))
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!LoadSystem(address + 8, 8, out ulong high))
        {
            return false;
        }

        var codeSelector = (ushort)(low >> 16);
        ulong target = (low & 0xFFFF) | (low >> 32 & 0xFFFF_0000) | (high << 32);
        if ((high >> 40 & 0x1F) != 0)
        {
            return SelectorFault(GeneralProtection, selector);
        }

        if (!LoadDescriptor(codeSelector, out SegmentRegister code, out ulong codeLow))
        {
            return false;
        }

        bool isInner = op.Op == Op.CallFar && !IsConforming(in code) && code.PrivilegeLevel < _cpl;
        bool isPermitted = isInner || (IsConforming(in code) ? code.PrivilegeLevel <= _cpl : code.PrivilegeLevel == _cpl);
        bool isLongCode = IsCode(in code) && code.IsLong && !code.IsDefault32;
        return !isLongCode || !isPermitted ? SelectorFault(GeneralProtection, codeSelector)
            : !code.IsPresent ? SelectorFault(SegmentNotPresent, codeSelector)
            : MarkAccessed(codeSelector, codeLow, ref code)
                && (isInner ? CallInner(in code, target, op.NextRip) : EnterSameLevel(ref op, in code, target, 8));
    }

    private bool EnterSameLevel(ref MicroOp op, in SegmentRegister code, ulong target, int size)
    {
        if (!IsTarget(target))
        {
            return false;
        }

        if (op.Op == Op.CallFar)
        {
            ulong rsp = _regs[Rsp];
            ulong step = (ulong)size;
            if (!Store(rsp - step, size, _cs.Selector) || !Store(rsp - (2 * step), size, op.NextRip))
            {
                return StackFault();
            }

            _regs[Rsp] = rsp - (2 * step);
        }

        _cs = code;
        _cs.Selector = (ushort)((code.Selector & ~3) | _cpl);
        _rip = target;
        return true;
    }

    /// <summary>A call to a more privileged level, with its stack.</summary>
    private bool CallInner(in SegmentRegister code, ulong target, ulong returnTo)
    {
        int level = code.PrivilegeLevel;
        if (!LoadStackPointer(4 + (level * 8), out ulong stack) || !IsTarget(target))
        {
            return false;
        }

        UseRightsOf(level);
        bool stored = Store(stack - 8, 8, _ss.Selector) && Store(stack - 16, 8, _regs[Rsp])
            && Store(stack - 24, 8, _cs.Selector) && Store(stack - 32, 8, returnTo);
        UseRightsOf(_cpl);
        if (!stored)
        {
            return StackFault();
        }

        _ss = NullStack((ushort)level, level);
        _cs = code;
        _cs.Selector = (ushort)((code.Selector & ~3) | level);
        (_rip, _regs[Rsp]) = (target, stack - 32);
        SetPrivilege(level);
        return true;
    }
}

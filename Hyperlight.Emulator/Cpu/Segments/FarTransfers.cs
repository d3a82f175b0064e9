using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Transfers of control that load CS. Code that is not 64-bit cannot be executed here: a transfer that the processor would
/// make to it ends the run with <see cref="VmExitReason.EmulationFailure"/>.
/// </summary>
internal sealed unsafe class FarTransfers(
    ProcessorState* state,
    RegisterFile registers,
    PendingEvent pending,
    PrivilegeLevel privilege,
    Breakpoints breakpoints,
    LinearMemory memory,
    Operands operands,
    DescriptorTables descriptors,
    SegmentLoader segments,
    TaskStateSegment task,
    UnsupportedInstructions unsupported,
    BranchInstructions branches,
    FlagInstructions flagInstructions)
{
    public bool InterruptReturn(ref MicroOp op)
    {
        ulong rsp = registers[Rsp];
        int size = op.Size;
        ulong step = op.Size;
        if ((state->Results.Other & FlagNestedTask) != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        if (!memory.Load(rsp, size, out ulong rip) || !memory.Load(rsp + step, size, out ulong code)
            || !memory.Load(rsp + (2 * step), size, out ulong flags) || !memory.Load(rsp + (3 * step), size, out ulong newRsp)
            || !memory.Load(rsp + (4 * step), size, out ulong stack))
        {
            return pending.StackFault();
        }

        int level = (int)code & 3;
        if (!LoadReturnSegment(ref op, (ushort)code, out SegmentRegister codeSegment)
            || !segments.LoadStack((ushort)stack, level, out SegmentRegister stackSegment) || !branches.IsTarget(rip))
        {
            return false;
        }

        flagInstructions.WriteAs(flags, size, FlagResume);
        ReturnTo(rip, newRsp, in codeSegment, in stackSegment, level);
        if (!breakpoints.MustInterpret)
        {
            // It would be gone after the next instruction, and only breakpoints ask for it.
            state->Results.Other &= ~FlagResume;
        }

        return true;
    }

    public bool Return(ref MicroOp op)
    {
        ulong rsp = registers[Rsp];
        int size = op.Size;
        ulong step = op.Size;
        if (!memory.Load(rsp, size, out ulong rip) || !memory.Load(rsp + step, size, out ulong code))
        {
            return pending.StackFault();
        }

        if (!LoadReturnSegment(ref op, (ushort)code, out SegmentRegister codeSegment))
        {
            return false;
        }

        int level = (int)code & 3;
        ulong behind = rsp + (2 * step) + op.Immediate;
        if (level == state->Segments.Cpl)
        {
            if (!branches.JumpTo(rip))
            {
                return false;
            }

            (state->Segments.Cs, registers[Rsp]) = (codeSegment, behind);
            return true;
        }

        if (!memory.Load(behind, size, out ulong newRsp) || !memory.Load(behind + step, size, out ulong stack))
        {
            return pending.StackFault();
        }

        if (!segments.LoadStack((ushort)stack, level, out SegmentRegister stackSegment) || !branches.IsTarget(rip))
        {
            return false;
        }

        ReturnTo(rip, newRsp + op.Immediate, in codeSegment, in stackSegment, level);
        return true;
    }

    private void ReturnTo(ulong rip, ulong rsp, in SegmentRegister code, in SegmentRegister stack, int level)
    {
        bool isOuter = level > state->Segments.Cpl;
        (state->Segments.Cs, state->Segments.Ss, state->Rip, registers[Rsp]) = (code, stack, rip, rsp);
        privilege.Set(level);
        if (isOuter)
        {
            segments.DropPrivileged();
        }
    }

    /// <summary>The code segment that a return goes to, at the privilege level of its selector.</summary>
    private bool LoadReturnSegment(ref MicroOp op, ushort selector, out SegmentRegister segment)
    {
        if (!descriptors.Load(selector, out segment, out ulong low))
        {
            return false;
        }

        int level = selector & 3;
        bool isPermitted = DescriptorTables.IsConforming(in segment) ? segment.PrivilegeLevel <= level : segment.PrivilegeLevel == level;
        return level < state->Segments.Cpl || !isPermitted ? pending.SelectorFault(GeneralProtection, selector)
            : CheckCode(ref op, selector, low, ref segment);
    }

    private bool CheckCode(ref MicroOp op, ushort selector, ulong low, ref SegmentRegister segment) =>
        !DescriptorTables.IsCode(in segment) || (segment.IsLong && segment.IsDefault32) ? pending.SelectorFault(GeneralProtection, selector)
        : !segment.IsPresent ? pending.SelectorFault(SegmentNotPresent, selector)
        : !segment.IsLong ? unsupported.Exit(ref op)
        : descriptors.MarkAccessed(selector, low, ref segment);

    /// <summary>JMP and CALL through a far pointer in memory, to a code segment or a call gate.</summary>
    public bool Jump(ref MicroOp op)
    {
        ulong address = operands.Address(ref op);
        if (!memory.LoadTwo(address, op.Size, out ulong offset, 2, out ulong pointer))
        {
            return false;
        }

        var selector = (ushort)pointer;
        if (!descriptors.Load(selector, out SegmentRegister segment, out ulong low))
        {
            return false;
        }

        if (!segment.IsCodeOrData && segment.Type == DescriptorTables.CallGateType)
        {
            return EnterCallGate(ref op, selector, in segment, low);
        }

        bool isPermitted = DescriptorTables.IsConforming(in segment)
            ? segment.PrivilegeLevel <= state->Segments.Cpl
            : segment.PrivilegeLevel == state->Segments.Cpl && (selector & 3) <= state->Segments.Cpl;
        if (!isPermitted)
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        return CheckCode(ref op, selector, low, ref segment) && EnterSameLevel(ref op, in segment, offset, op.Size);
    }

    private bool EnterCallGate(ref MicroOp op, ushort selector, in SegmentRegister gate, ulong low)
    {
        if (gate.PrivilegeLevel < Math.Max(state->Segments.Cpl, selector & 3))
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!gate.IsPresent)
        {
            return pending.SelectorFault(SegmentNotPresent, selector);
        }

        if (!descriptors.TryFind(selector, 16, out ulong address))
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!memory.LoadSystem(address + 8, 8, out ulong high))
        {
            return false;
        }

        var codeSelector = (ushort)(low >> 16);
        ulong target = (low & 0xFFFF) | (low >> 32 & 0xFFFF_0000) | (high << 32);
        if ((high >> 40 & 0x1F) != 0)
        {
            return pending.SelectorFault(GeneralProtection, selector);
        }

        if (!descriptors.Load(codeSelector, out SegmentRegister code, out ulong codeLow))
        {
            return false;
        }

        bool isInner = op.Op == Op.CallFar && !DescriptorTables.IsConforming(in code) && code.PrivilegeLevel < state->Segments.Cpl;
        bool isPermitted = isInner || (DescriptorTables.IsConforming(in code) ? code.PrivilegeLevel <= state->Segments.Cpl : code.PrivilegeLevel == state->Segments.Cpl);
        bool isLongCode = DescriptorTables.IsCode(in code) && code.IsLong && !code.IsDefault32;
        return !isLongCode || !isPermitted ? pending.SelectorFault(GeneralProtection, codeSelector)
            : !code.IsPresent ? pending.SelectorFault(SegmentNotPresent, codeSelector)
            : descriptors.MarkAccessed(codeSelector, codeLow, ref code)
                && (isInner ? CallInner(in code, target, op.NextRip) : EnterSameLevel(ref op, in code, target, 8));
    }

    private bool EnterSameLevel(ref MicroOp op, in SegmentRegister code, ulong target, int size)
    {
        if (!branches.IsTarget(target))
        {
            return false;
        }

        if (op.Op == Op.CallFar)
        {
            ulong rsp = registers[Rsp];
            ulong step = (ulong)size;
            if (!memory.Store(rsp - step, size, state->Segments.Cs.Selector) || !memory.Store(rsp - (2 * step), size, op.NextRip))
            {
                return pending.StackFault();
            }

            registers[Rsp] = rsp - (2 * step);
        }

        state->Segments.Cs = code;
        state->Segments.Cs.Selector = (ushort)((code.Selector & ~3) | state->Segments.Cpl);
        state->Rip = target;
        return true;
    }

    /// <summary>A call to a more privileged level, with its stack.</summary>
    private bool CallInner(in SegmentRegister code, ulong target, ulong returnTo)
    {
        int level = code.PrivilegeLevel;
        if (!task.LoadStackPointer(4 + (level * 8), out ulong stack) || !branches.IsTarget(target))
        {
            return false;
        }

        privilege.UseRightsOf(level);
        bool stored = memory.Store(stack - 8, 8, state->Segments.Ss.Selector) && memory.Store(stack - 16, 8, registers[Rsp])
            && memory.Store(stack - 24, 8, state->Segments.Cs.Selector) && memory.Store(stack - 32, 8, returnTo);
        privilege.UseRightsOf(state->Segments.Cpl);
        if (!stored)
        {
            return pending.StackFault();
        }

        state->Segments.Ss = SegmentLoader.NullStack((ushort)level, level);
        state->Segments.Cs = code;
        state->Segments.Cs.Selector = (ushort)((code.Selector & ~3) | level);
        (state->Rip, registers[Rsp]) = (target, stack - 32);
        privilege.Set(level);
        return true;
    }
}

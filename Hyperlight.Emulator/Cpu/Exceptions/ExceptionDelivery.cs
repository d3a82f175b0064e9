using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Exceptions of the guest, and everything else that ends an instruction early.</summary>
internal sealed unsafe class ExceptionDelivery(
    ProcessorState* state,
    RegisterFile registers,
    Flags flags,
    PendingEvent pending,
    PrivilegeLevel privilege,
    LinearMemory memory,
    Operands operands,
    DescriptorTables descriptors,
    TaskStateSegment task,
    CodeFetcher fetcher)
{
    /// <summary>In an error code: the exception is not the doing of an INT instruction.</summary>
    private const ulong ErrorExternal = 1;

    /// <summary>In an error code: the selector is an index into the IDT.</summary>
    private const ulong ErrorInIdt = 2;

    /// <summary>Delivers a pending exception. False if there is an exit instead.</summary>
    public bool Deliver()
    {
        if (pending.Kind is PendingKind.Exit or PendingKind.ExitBehind)
        {
            return false;
        }

        if (pending.IsAddressFault && pending.Kind == PendingKind.Fault && IsStackAtFault())
        {
            pending.Vector = StackFaultVector;
        }

        byte vector = pending.Vector;
        ulong errorCode = pending.ErrorCode;
        PendingKind kind = pending.Kind;
        ulong returnTo = kind == PendingKind.Fault ? state->Rip : pending.TrapRip;
        while (!TryEnterHandler(vector, errorCode, returnTo, kind))
        {
            if (pending.Kind is PendingKind.Exit)
            {
                return false;
            }

            if (vector == DoubleFault && kind == PendingKind.Fault)
            {
                pending.Exit = VmExit.Shutdown;
                pending.Kind = PendingKind.Exit;
                return false;
            }

            bool isDouble = kind == PendingKind.Fault && IsDouble(vector, pending.Vector);
            vector = isDouble ? DoubleFault : pending.Vector;
            errorCode = isDouble ? 0 : pending.ErrorCode;
            returnTo = state->Rip;
            kind = PendingKind.Fault;
        }

        return true;
    }

    /// <summary>
    /// Whether a fault met while another is delivered makes a double fault: a page fault's handler may meet only what is
    /// benign, that of a contributory exception also page faults. Interrupts of software are benign, whatever their vector.
    /// </summary>
    private static bool IsDouble(byte first, byte second) => IsContributory(second)
        ? first == PageFaultVector || IsContributory(first)
        : second == PageFaultVector && first == PageFaultVector;

    private static bool IsContributory(byte vector) =>
        vector is DivideError or ControlProtection or (>= InvalidTss and <= GeneralProtection);

    private static bool HasErrorCode(byte vector) => vector is DoubleFault or AlignmentCheckVector or ControlProtection
        or (>= InvalidTss and <= PageFaultVector);

    /// <summary>Whether the instruction at RIP, which found an address not canonical, did so through SS.</summary>
    private bool IsStackAtFault()
    {
        bool isUsingStack = false;
        if (LinearAddress.IsCanonical(state->Rip) && fetcher.FindBlock() is { } block)
        {
            ref MicroOp op = ref block.Ops[0];
            bool hasOperand = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;
            bool isStackUsed = op.Op is Op.Push or Op.Pop or Op.Call or Op.CallIndirect or Op.Ret or Op.Leave or Op.Pushf or Op.Popf;
            isUsingStack = isStackUsed && (!hasOperand || LinearAddress.IsCanonicalRange(operands.Address(ref op), op.Size))
                || (hasOperand && op.Segment == 0 && op.Base is Rsp or Rbp);
        }

        (pending.Kind, pending.Vector, pending.ErrorCode) = (PendingKind.Fault, GeneralProtection, 0);
        return isUsingStack;
    }

    /// <summary>Enters the handler of an exception. If that faults, the processor is as it was and the fault is pending.</summary>
    private bool TryEnterHandler(byte vector, ulong errorCode, ulong returnTo, PendingKind kind)
    {
        pending.External = kind == PendingKind.Interrupt ? 0 : ErrorExternal;
        try
        {
            return TryEnterGate(vector, errorCode, returnTo, kind);
        }
        finally
        {
            // Also if the host could not access memory: the next guest is not to see it.
            pending.External = 0;
            privilege.UseRightsOf(state->Segments.Cpl);
        }
    }

    private bool TryEnterGate(byte vector, ulong errorCode, ulong returnTo, PendingKind kind)
    {
        if (!LoadGate(vector, kind, out ulong low, out ulong high))
        {
            return false;
        }

        var selector = (ushort)(low >> 16);
        ulong handler = (low & 0xFFFF) | (low >> 32 & 0xFFFF_0000) | (high << 32);
        if (!LoadHandlerSegment(selector, out SegmentRegister code))
        {
            return false;
        }

        bool isInner = !DescriptorTables.IsConforming(in code) && code.PrivilegeLevel < state->Segments.Cpl;
        int level = isInner ? code.PrivilegeLevel : state->Segments.Cpl;
        int ist = (int)(low >> 32) & 7;
        ulong stack = registers[Rsp];
        if (ist != 0 ? !task.LoadStackPointer(0x1C + (ist * 8), out stack) : isInner && !task.LoadStackPointer(4 + (level * 8), out stack))
        {
            return false;
        }

        stack &= ~15UL;
        bool pushesError = kind == PendingKind.Fault && HasErrorCode(vector);

        // A fault is going to be repeated, and a breakpoint on it must not be met again; one that was met is the
        // handler's to step over.
        bool isResumed = kind == PendingKind.Fault && vector != DebugVector;
        if (!LinearAddress.IsCanonical(handler))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        privilege.UseRightsOf(level);
        if (!memory.Store(stack - 8, 8, state->Segments.Ss.Selector) || !memory.Store(stack - 16, 8, registers[Rsp])
            || !memory.Store(stack - 24, 8, flags.Read() | (isResumed ? FlagResume : 0))
            || !memory.Store(stack - 32, 8, state->Segments.Cs.Selector) || !memory.Store(stack - 40, 8, returnTo)
            || (pushesError && !memory.Store(stack - 48, 8, errorCode)))
        {
            return pending.StackFault();
        }

        if (isInner)
        {
            state->Segments.Ss = SegmentLoader.NullStack((ushort)level, level);
        }

        bool isInterruptGate = ((low >> 40) & 1) == 0;
        registers[Rsp] = stack - (pushesError ? 48UL : 40UL);
        state->Results.Other &= ~(FlagTrap | FlagNestedTask | FlagResume | (isInterruptGate ? FlagInterrupt : 0));
        code.Selector = (ushort)((selector & ~3) | level);
        state->Segments.Cs = code;
        state->Segments.Cpl = level;
        state->Rip = handler;
        pending.Kind = PendingKind.None;
        return true;
    }

    /// <summary>Reads a vector's gate, which must be one of 64-bit mode and open to who asks.</summary>
    private bool LoadGate(byte vector, PendingKind kind, out ulong low, out ulong high)
    {
        (low, high) = (0, 0);
        ulong error = ((ulong)vector * 8) | ErrorInIdt;
        if (((uint)vector * 16) + 15 > state->Segments.Idtr.Limit)
        {
            return pending.Fault(GeneralProtection, error);
        }

        ulong gate = state->Segments.Idtr.Base + ((ulong)vector * 16);
        if (!memory.LoadSystem(gate, 8, out low) || !memory.LoadSystem(gate + 8, 8, out high))
        {
            return false;
        }

        bool isGate = ((low >> 40) & 0x1F) is 0xE or 0xF;
        int level = (int)(low >> 45) & 3;
        if (!isGate || (kind == PendingKind.Interrupt && level < state->Segments.Cpl))
        {
            return pending.Fault(GeneralProtection, error);
        }

        return (low >> 47 & 1) != 0 || pending.Fault(SegmentNotPresent, error);
    }

    /// <summary>A code segment for a handler: 64-bit code that is at least as privileged as the CPL.</summary>
    private bool LoadHandlerSegment(ushort selector, out SegmentRegister segment)
    {
        if (!descriptors.Load(selector, out segment, out ulong low))
        {
            return false;
        }

        bool fits = DescriptorTables.IsCode(in segment) && segment.IsLong && !segment.IsDefault32 && segment.PrivilegeLevel <= state->Segments.Cpl;
        return !fits ? pending.SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? pending.SelectorFault(SegmentNotPresent, selector)
            : descriptors.MarkAccessed(selector, low, ref segment);
    }
}

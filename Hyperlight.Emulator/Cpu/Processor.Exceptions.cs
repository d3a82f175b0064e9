using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Exceptions of the guest, and everything else that ends an instruction early.</summary>
internal sealed partial class Processor
{
    private const byte DivideError = 0;
    private const byte DebugVector = 1;
    private const byte Breakpoint = 3;
    private const byte InvalidOpcode = 6;
    private const byte DeviceNotAvailable = 7;
    private const byte DoubleFault = 8;
    private const byte InvalidTss = 10;
    private const byte SegmentNotPresent = 11;
    private const byte StackFaultVector = 12;
    private const byte GeneralProtection = 13;
    private const byte PageFaultVector = 14;
    private const byte MathFault = 16;
    private const byte SimdFault = 19;

    private const byte AlignmentCheckVector = 17;
    private const byte ControlProtection = 21;

    /// <summary>In an error code: the exception is not the doing of an INT instruction.</summary>
    private const ulong ErrorExternal = 1;

    /// <summary>In an error code: the selector is an index into the IDT.</summary>
    private const ulong ErrorInIdt = 2;

    private Pending _pending;
    private VmExit _exit;
    private byte _vector;
    private ulong _errorCode;

    /// <summary>Where a trap returns to.</summary>
    private ulong _trapRip;

    private enum Pending
    {
        None,

        /// <summary>A fault: RIP stays at the instruction.</summary>
        Fault,

        /// <summary>A trap: RIP is behind the instruction.</summary>
        Trap,

        /// <summary>INT n or INT3: a trap that the gate must permit to the CPL.</summary>
        Interrupt,

        /// <summary>An exit with RIP at the instruction, which is executed again.</summary>
        Exit,

        /// <summary>An exit with RIP behind the instruction.</summary>
        ExitBehind,
    }

    /// <summary>EXT, for the error codes of what goes wrong while an exception is delivered.</summary>
    private ulong _external;

    /// <summary>The pending fault, if there is one, is an address that is not canonical.</summary>
    private bool _isAddressFault;

    private bool Fault(byte vector, ulong errorCode)
    {
        _pending = Pending.Fault;
        _vector = vector;
        _errorCode = errorCode | (vector is >= InvalidTss and <= GeneralProtection ? _external : 0);
        _isAddressFault = false;
        return false;
    }

    /// <summary>A fault that a selector is the cause of.</summary>
    private bool SelectorFault(byte vector, ushort selector) => Fault(vector, selector & 0xFFFCUL);

    private bool Trap(byte vector, ulong returnTo, Pending kind = Pending.Trap)
    {
        _pending = kind;
        _vector = vector;
        _errorCode = 0;
        _trapRip = returnTo;
        return false;
    }

    private bool ExitWith(in VmExit exit)
    {
        _pending = Pending.Exit;
        _exit = exit;
        return false;
    }

    private bool ExitBehind(in VmExit exit)
    {
        _pending = Pending.ExitBehind;
        _exit = exit;
        return false;
    }

    /// <summary>Delivers a pending exception. False if there is an exit instead.</summary>
    private bool Deliver()
    {
        if (_pending is Pending.Exit or Pending.ExitBehind)
        {
            return false;
        }

        if (_isAddressFault && _pending == Pending.Fault && IsStackAtFault())
        {
            _vector = StackFaultVector;
        }

        byte vector = _vector;
        ulong errorCode = _errorCode;
        Pending kind = _pending;
        ulong returnTo = kind == Pending.Fault ? _rip : _trapRip;
        while (!TryEnterHandler(vector, errorCode, returnTo, kind))
        {
            if (_pending is Pending.Exit)
            {
                return false;
            }

            if (vector == DoubleFault && kind == Pending.Fault)
            {
                _exit = VmExit.Shutdown;
                _pending = Pending.Exit;
                return false;
            }

            bool isDouble = kind == Pending.Fault && IsDouble(vector, _vector);
            vector = isDouble ? DoubleFault : _vector;
            errorCode = isDouble ? 0 : _errorCode;
            returnTo = _rip;
            kind = Pending.Fault;
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
        if (IsCanonical(_rip) && FindBlock() is { } block)
        {
            ref MicroOp op = ref block.Ops[0];
            bool hasOperand = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;
            bool isStackUsed = op.Op is Op.Push or Op.Pop or Op.Call or Op.CallIndirect or Op.Ret or Op.Leave or Op.Pushf or Op.Popf;
            isUsingStack = isStackUsed && (!hasOperand || IsCanonicalRange(Address(ref op), op.Size))
                || (hasOperand && op.Segment == 0 && op.Base is Rsp or Rbp);
        }

        (_pending, _vector, _errorCode) = (Pending.Fault, GeneralProtection, 0);
        return isUsingStack;
    }

    /// <summary>Enters the handler of an exception. If that faults, the processor is as it was and the fault is pending.</summary>
    private bool TryEnterHandler(byte vector, ulong errorCode, ulong returnTo, Pending kind)
    {
        _external = kind == Pending.Interrupt ? 0 : ErrorExternal;
        bool entered = TryEnterGate(vector, errorCode, returnTo, kind);
        _external = 0;
        UseRightsOf(_cpl);
        return entered;
    }

    private bool TryEnterGate(byte vector, ulong errorCode, ulong returnTo, Pending kind)
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

        bool isInner = !IsConforming(in code) && code.PrivilegeLevel < _cpl;
        int level = isInner ? code.PrivilegeLevel : _cpl;
        int ist = (int)(low >> 32) & 7;
        ulong stack = _regs[Rsp];
        if (ist != 0 ? !LoadStackPointer(0x1C + (ist * 8), out stack) : isInner && !LoadStackPointer(4 + (level * 8), out stack))
        {
            return false;
        }

        stack &= ~15UL;
        bool pushesError = kind == Pending.Fault && HasErrorCode(vector);

        // A fault is going to be repeated, and a breakpoint on it must not be met again; one that was met is the
        // handler's to step over.
        bool isResumed = kind == Pending.Fault && vector != DebugVector;
        if (!IsCanonical(handler))
        {
            return Fault(GeneralProtection, 0);
        }

        UseRightsOf(level);
        if (!Store(stack - 8, 8, _ss.Selector) || !Store(stack - 16, 8, _regs[Rsp])
            || !Store(stack - 24, 8, ReadFlags() | (isResumed ? FlagResume : 0))
            || !Store(stack - 32, 8, _cs.Selector) || !Store(stack - 40, 8, returnTo)
            || (pushesError && !Store(stack - 48, 8, errorCode)))
        {
            return StackFault();
        }

        if (isInner)
        {
            _ss = NullStack((ushort)level, level);
        }

        bool isInterruptGate = ((low >> 40) & 1) == 0;
        _regs[Rsp] = stack - (pushesError ? 48UL : 40UL);
        _otherFlags &= ~(FlagTrap | FlagNestedTask | FlagResume | (isInterruptGate ? FlagInterrupt : 0));
        code.Selector = (ushort)((selector & ~3) | level);
        _cs = code;
        _cpl = level;
        _rip = handler;
        _pending = Pending.None;
        return true;
    }

    /// <summary>Reads a vector's gate, which must be one of 64-bit mode and open to who asks.</summary>
    private bool LoadGate(byte vector, Pending kind, out ulong low, out ulong high)
    {
        (low, high) = (0, 0);
        ulong error = ((ulong)vector * 8) | ErrorInIdt;
        if (((uint)vector * 16) + 15 > _idtr.Limit)
        {
            return Fault(GeneralProtection, error);
        }

        ulong gate = _idtr.Base + ((ulong)vector * 16);
        if (!LoadSystem(gate, 8, out low) || !LoadSystem(gate + 8, 8, out high))
        {
            return false;
        }

        bool isGate = ((low >> 40) & 0x1F) is 0xE or 0xF;
        int level = (int)(low >> 45) & 3;
        if (!isGate || (kind == Pending.Interrupt && level < _cpl))
        {
            return Fault(GeneralProtection, error);
        }

        return (low >> 47 & 1) != 0 || Fault(SegmentNotPresent, error);
    }

    /// <summary>A code segment for a handler: 64-bit code that is at least as privileged as the CPL.</summary>
    private bool LoadHandlerSegment(ushort selector, out SegmentRegister segment)
    {
        if (!LoadDescriptor(selector, out segment, out ulong low))
        {
            return false;
        }

        bool fits = IsCode(in segment) && segment.IsLong && !segment.IsDefault32 && segment.PrivilegeLevel <= _cpl;
        return !fits ? SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? SelectorFault(SegmentNotPresent, selector)
            : MarkAccessed(selector, low, ref segment);
    }

    /// <summary>Reads a stack pointer of the task state segment.</summary>
    private bool LoadStackPointer(int offset, out ulong stack)
    {
        stack = 0;
        return (uint)offset + 7 > _tr.Limit
            ? SelectorFault(InvalidTss, _tr.Selector)
            : LoadSystem(_tr.Base + (ulong)offset, 8, out stack)
                && (IsCanonical(stack) || Fault(StackFaultVector, 0));
    }
}

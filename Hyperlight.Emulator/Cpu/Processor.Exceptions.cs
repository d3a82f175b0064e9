using Hyperlight.Abstractions;

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
    private const byte SimdFault = 19;

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

        /// <summary>A trap or software interrupt: RIP is behind the instruction.</summary>
        Trap,

        /// <summary>An exit with RIP at the instruction, which is executed again.</summary>
        Exit,

        /// <summary>An exit with RIP behind the instruction.</summary>
        ExitBehind,
    }

    private bool Fault(byte vector, ulong errorCode)
    {
        _pending = Pending.Fault;
        _vector = vector;
        _errorCode = errorCode;
        return false;
    }

    private bool Trap(byte vector, ulong returnTo)
    {
        _pending = Pending.Trap;
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

        byte vector = _vector;
        ulong errorCode = _errorCode;
        bool isSoftware = _pending == Pending.Trap;
        ulong returnTo = isSoftware ? _trapRip : _rip;
        while (!TryEnterHandler(vector, errorCode, returnTo, isSoftware))
        {
            if (_pending is Pending.Exit)
            {
                return false;
            }

            if (vector == DoubleFault)
            {
                _exit = VmExit.Shutdown;
                _pending = Pending.Exit;
                return false;
            }

            // A page fault's handler may meet only what is no page fault; a contributory exception only page faults.
            bool isDouble = IsContributory(_vector)
                ? vector == PageFaultVector || IsContributory(vector)
                : _vector == PageFaultVector && vector == PageFaultVector;
            vector = isDouble ? DoubleFault : _vector;
            errorCode = isDouble ? 0 : _errorCode;
            returnTo = _rip;
            isSoftware = false;
        }

        return true;
    }

    private static bool IsContributory(byte vector) => vector is DivideError or (>= InvalidTss and <= GeneralProtection);

    private static bool HasErrorCode(byte vector) =>
        vector is DoubleFault or (>= InvalidTss and <= PageFaultVector) or 17 or 21;

    private bool TryEnterHandler(byte vector, ulong errorCode, ulong returnTo, bool isSoftware)
    {
        ulong selectorError = ((ulong)vector * 8) + 2 + (isSoftware ? 0UL : 1);
        ulong gate = _idtr.Base + ((ulong)vector * 16);
        if (((uint)vector * 16) + 15 > _idtr.Limit)
        {
            return Fault(GeneralProtection, selectorError);
        }

        if (!Load(gate, 8, out ulong low) || !Load(gate + 8, 8, out ulong high))
        {
            return false;
        }

        int type = (int)(low >> 40) & 0x1F;
        if (type is not (0xE or 0xF))
        {
            return Fault(GeneralProtection, selectorError);
        }

        if ((low >> 47 & 1) == 0)
        {
            return Fault(SegmentNotPresent, selectorError);
        }

        ulong handler = (low & 0xFFFF) | (low >> 32 & 0xFFFF_0000) | (high << 32);
        if (!LoadCodeSegment((ushort)(low >> 16), out SegmentRegister code))
        {
            return false;
        }

        ulong stack = _regs[Rsp];
        int ist = (int)(low >> 32) & 7;
        if (ist != 0 && !Load(_tr.Base + 0x1C + ((ulong)ist * 8), 8, out stack))
        {
            return false;
        }

        stack &= ~15UL;
        bool pushesError = !isSoftware && HasErrorCode(vector);
        if (!IsCanonical(handler))
        {
            return Fault(GeneralProtection, 0);
        }

        if (!Store(stack - 8, 8, _ss.Selector) || !Store(stack - 16, 8, _regs[Rsp])
            || !Store(stack - 24, 8, ReadFlags() | (isSoftware ? 0 : FlagResume))
            || !Store(stack - 32, 8, _cs.Selector) || !Store(stack - 40, 8, returnTo)
            || (pushesError && !Store(stack - 48, 8, errorCode)))
        {
            return StackFault(stack - 8);
        }

        _regs[Rsp] = stack - (pushesError ? 48UL : 40UL);
        _otherFlags &= ~(FlagTrap | FlagNestedTask | FlagResume | (type == 0xE ? FlagInterrupt : 0));
        _cs = code;
        _rip = handler;
        _pending = Pending.None;
        return true;
    }
}

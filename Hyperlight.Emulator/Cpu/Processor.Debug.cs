using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Single step and breakpoints. While either is armed, instructions are interpreted one by one.</summary>
internal sealed partial class Processor
{
    private const ulong Cr4DebuggingExtensions = 1 << 3;
    private const ulong Dr6Fixed = 0xFFFF_0FF0;
    private const ulong Dr6Hits = 0xF;
    private const ulong Dr6AccessDetected = 1 << 13;
    private const ulong Dr6SingleStep = 1 << 14;
    private const ulong Dr6Bits = Dr6Hits | Dr6AccessDetected | Dr6SingleStep | (1 << 15);
    private const ulong Dr7Enables = 0xFF;
    private const ulong Dr7GeneralDetect = 1 << 13;
    private const int OnExecution = 0;
    private const int OnWrite = 1;
    private const int OnAccess = 3;

    /// <summary>A data breakpoint is armed: every access to memory takes the slow path, which looks for it.</summary>
    private bool _isWatching;

    /// <summary>Data breakpoints that the running instruction met.</summary>
    private ulong _watchHits;

    /// <summary>What is to be reported after the next instruction, or before it if that is where the host stopped.</summary>
    private ulong _heldStatus;
    private bool _isStatusDue;

    /// <summary>The last instruction loaded SS: no debug exception comes between it and the one that loads RSP.</summary>
    private bool _isShadowed;

    /// <summary>
    /// Whether instructions have to be interpreted one by one: a step or a breakpoint may come after each. It changes only
    /// with instructions that end a block, and from outside.
    /// </summary>
    public bool MustInterpret => (_otherFlags & FlagTrap) != 0 || (_dr7 & Dr7Enables) != 0 || _heldStatus != 0;

    public DebugRegisters Debug
    {
        get => new() { Dr0 = _dr0, Dr1 = _dr1, Dr2 = _dr2, Dr3 = _dr3, Dr6 = _dr6, Dr7 = _dr7 };
        set
        {
            (_dr0, _dr1, _dr2, _dr3, _dr6) = (value.Dr0, value.Dr1, value.Dr2, value.Dr3, value.Dr6);
            SetDebugControl(value.Dr7);
        }
    }

    /// <summary>Executes one instruction under debug control. False if something is pending.</summary>
    private bool Step()
    {
        bool wasShadowed = _isShadowed;
        _isShadowed = false;
        if (_isStatusDue)
        {
            return DebugException(Pending.Trap, 0);
        }

        ulong resume = _otherFlags & FlagResume;
        if (resume == 0 && !wasShadowed && FindExecutionHits() is > 0 and var hits)
        {
            // The instruction counts as one that faults: the handler may begin with a breakpoint too.
            _executed++;
            return DebugException(Pending.Fault, hits);
        }

        if (FindBlock() is not { } block)
        {
            return CountNotFetched();
        }

        ref MicroOp op = ref block.Ops[0];
        bool isStepped = (_otherFlags & FlagTrap) != 0;
        _otherFlags &= ~FlagResume;
        _watchHits = 0;
        _blockEnd = 1;
        _rip = op.NextRip;
        _executed++;
        bool done = Execute(ref op);
        if (!done && _pending != Pending.ExitBehind)
        {
            _rip = op.Rip;
            _otherFlags |= _pending == Pending.Exit ? resume : 0;
            return false;
        }

        // Between two elements of a repeated instruction RF is set, as on processors of Intel: a breakpoint on the
        // instruction was met before the first.
        _otherFlags |= _rip == op.Rip && op.Repeat != Repeat.None && IsRepeated(op.Op) ? FlagResume : 0;

        // SYSCALL does not trap if its mask cleared TF; no step comes after a load of SS, and what was met is held back.
        isStepped &= op.Op != Op.Syscall || (_otherFlags & FlagTrap) != 0;
        _isShadowed = IsStackLoad(in op);
        _heldStatus |= _watchHits | (isStepped && !_isShadowed ? Dr6SingleStep : 0);
        if (!done)
        {
            _isStatusDue = _heldStatus != 0;
            return false;
        }

        return _heldStatus == 0 || _isShadowed || DebugException(Pending.Trap, 0);
    }

    private static bool IsRepeated(Op op) => op is >= Op.Movs and <= Op.Outs or Op.Ins;

    private static bool IsStackLoad(in MicroOp op) =>
        op.Op == Op.Lss || (op.Op == Op.MovToSegment && op.DestinationRegister == SsIndex);

    /// <summary>Makes the debug exception of what is held pending.</summary>
    private bool DebugException(Pending kind, ulong status)
    {
        _dr6 = (_dr6 & ~Dr6Hits) | _heldStatus | status;
        _dr7 &= ~Dr7GeneralDetect;
        _heldStatus = 0;
        _isStatusDue = false;
        return kind == Pending.Fault ? Fault(DebugVector, 0) : Trap(DebugVector, _rip);
    }

    private ulong BreakpointAddress(int index) => index switch { 0 => _dr0, 1 => _dr1, 2 => _dr2, _ => _dr3 };

    private bool IsArmed(int index) => (_dr7 >> (2 * index) & 3) != 0;

    private int BreakpointKind(int index) => (int)(_dr7 >> (16 + (4 * index))) & 3;

    private int BreakpointLength(int index) => ((int)(_dr7 >> (18 + (4 * index))) & 3) switch { 0 => 1, 1 => 2, 2 => 8, _ => 4 };

    /// <summary>Breakpoints on the instruction at RIP. Those of another length than one are not defined, and not met.</summary>
    private ulong FindExecutionHits()
    {
        ulong hits = 0;
        for (int i = 0; i < 4; i++)
        {
            if (IsArmed(i) && BreakpointKind(i) == OnExecution && BreakpointLength(i) == 1 && BreakpointAddress(i) == _rip)
            {
                hits |= 1UL << i;
            }
        }

        return hits;
    }

    /// <summary>Notes which data breakpoints an access meets.</summary>
    private void NoteWatched(ulong address, int size, bool isWrite)
    {
        if (_isImplicit)
        {
            return;
        }

        for (int i = 0; i < 4; i++)
        {
            bool isWatched = BreakpointKind(i) is OnAccess || (isWrite && BreakpointKind(i) == OnWrite);
            ulong length = (ulong)BreakpointLength(i);
            ulong start = BreakpointAddress(i) & ~(length - 1);
            if (isWatched && IsArmed(i) && start < address + (ulong)size && address < start + length)
            {
                _watchHits |= 1UL << i;
            }
        }
    }

    private void SetDebugControl(ulong value)
    {
        _dr7 = value;
        bool isWatching = false;
        for (int i = 0; i < 4; i++)
        {
            isWatching |= IsArmed(i) && BreakpointKind(i) is OnWrite or OnAccess;
        }

        if (isWatching != _isWatching)
        {
            _isWatching = isWatching;
            _tlb.FlushAll();
        }
    }

    /// <summary>Whether a debug register can be accessed, and which it is.</summary>
    private bool FindDebugRegister(ref int register)
    {
        bool isAlias = register is 4 or 5;
        if (register > 7 || (isAlias && (_cr4 & Cr4DebuggingExtensions) != 0))
        {
            return Fault(InvalidOpcode, 0);
        }

        if ((_dr7 & Dr7GeneralDetect) != 0)
        {
            return DebugException(Pending.Fault, Dr6AccessDetected);
        }

        register += isAlias ? 2 : 0;
        return true;
    }

    private bool MoveFromDebug(ref MicroOp op)
    {
        int register = op.SourceRegister;
        if (!FindDebugRegister(ref register))
        {
            return false;
        }

        _regs[op.DestinationRegister] = register switch { < 4 => BreakpointAddress(register), 6 => _dr6, _ => _dr7 };
        return true;
    }

    private bool MoveToDebug(int register, ulong value)
    {
        if (!FindDebugRegister(ref register))
        {
            return false;
        }

        if (register >= 6 && value >> 32 != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        switch (register)
        {
            case 0: _dr0 = value; break;
            case 1: _dr1 = value; break;
            case 2: _dr2 = value; break;
            case 3: _dr3 = value; break;
            case 6: _dr6 = (value & Dr6Bits) | Dr6Fixed; break;
            default: SetDebugControl((value & 0xFFFF_2BFF) | 0x400); break;
        }

        return true;
    }
}

using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions for systems.</summary>
internal sealed partial class Processor
{
    /// <summary>PE, MP, EM, TS, ET, NE, WP, AM, NW, CD and PG.</summary>
    private const ulong Cr0Bits = 0xE005_003F;

    /// <summary>TSD, DE, PSE, PAE, PGE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, OSXSAVE, SMEP and SMAP.</summary>
    private const ulong Cr4Bits = 0x35_0EBC;
    private const ulong Cr4TimeStampDisable = 1 << 2;
    private const ulong Cr4UserModeInstructionPrevention = 1 << 11;
    private const ulong Cr4PhysicalAddressExtension = 1 << 5;

    private bool ExecuteSystem(ref MicroOp op)
    {
        if (_cpl != 0 && (IsPrivileged(op.Op)
            || (IsHiddenByUmip(op.Op) && (_cr4 & Cr4UserModeInstructionPrevention) != 0)))
        {
            return Fault(GeneralProtection, 0);
        }

        switch (op.Op)
        {
            case Op.Cli or Op.Sti:
                if (!HasIoPrivilege())
                {
                    return false;
                }

                if (op.Op == Op.Sti && !InterruptsAreOn)
                {
                    CastShadow();
                }

                _otherFlags = op.Op == Op.Cli ? _otherFlags & ~FlagInterrupt : _otherFlags | FlagInterrupt;
                return true;
            case Op.Retf: return ExecuteFarReturn(ref op);
            case Op.Cpuid: ExecuteCpuid(); return true;
            case Op.Rdtsc or Op.Rdtscp:
                if (_cpl != 0 && (_cr4 & Cr4TimeStampDisable) != 0)
                {
                    return Fault(GeneralProtection, 0);
                }

                WriteWide(TimeStamp);
                if (op.Op == Op.Rdtscp)
                {
                    _regs[Rcx] = _tscAux;
                }

                return true;
            case Op.Rdmsr: return ExecuteRdmsr();
            case Op.Wrmsr: return ExecuteWrmsr();
            case Op.Lgdt: return LoadTable(ref op, ref _gdtr);
            case Op.Lidt: return LoadTable(ref op, ref _idtr);
            case Op.Sgdt: return StoreTable(ref op, _gdtr);
            case Op.Sidt: return StoreTable(ref op, _idtr);
            case Op.Lldt: return LoadSystemSegment(ref op, isTask: false);
            case Op.Ltr: return LoadSystemSegment(ref op, isTask: true);
            case Op.Sldt: return StoreWord(ref op, _ldtr.Selector);
            case Op.Str: return StoreWord(ref op, _tr.Selector);
            case Op.Smsw: return StoreWord(ref op, _cr0);
            case Op.Lmsw:
                if (!ReadDestination(ref op, out ulong word))
                {
                    return false;
                }

                _cr0 = (_cr0 & ~0xEUL) | (word & 0xF);
                return true;
            case Op.Clts: _cr0 &= ~8UL; return true;
            case Op.MovFromControl: return MoveFromControl(ref op);
            case Op.MovToControl: return MoveToControl(op.DestinationRegister, _regs[op.SourceRegister]);
            case Op.MovFromDebug: return MoveFromDebug(ref op);
            case Op.MovToDebug: return MoveToDebug(op.DestinationRegister, _regs[op.SourceRegister]);
            case Op.MovFromSegment: return ExecuteMoveFromSegment(ref op);
            case Op.MovToSegment: return ExecuteMoveToSegment(ref op);
            case Op.Invlpg: ForgetTranslation(Address(ref op)); return true;
            case Op.Iretq: return ExecuteInterruptReturn(ref op);
            case Op.JmpFar or Op.CallFar: return ExecuteFarJump(ref op);
            case Op.Syscall: return ExecuteSystemCall(ref op);
            case Op.Sysret: return ExecuteSystemReturn(ref op);
            case Op.Swapgs: ExecuteSwapGs(); return true;
            case >= Op.Rdfsbase and <= Op.Wrgsbase: return ExecuteSegmentBase(ref op);
            case Op.Lss or Op.Lfs or Op.Lgs: return ExecuteLoadFarPointer(ref op);
            case Op.PushSegment: return Push(SegmentOf(op.DestinationRegister).Selector, op.Size);
            case Op.PopSegment: return ExecutePopSegment(ref op);
            case >= Op.Lar and <= Op.Verw: return ExecuteDescriptorQuery(ref op);
            case Op.Hlt: return ExitBehind(VmExit.Halt);
            case Op.Out:
                ushort output = Port(ref op, op.Destination);
                PortWrite = (op.Rip, false);
                return MayUsePort(output, op.Size)
                    && ExitBehind(VmExit.IoOut(output, (uint)Truncate(_regs[Rax], op.Size), op.Size));
            case Op.In:
                ushort input = Port(ref op, op.Source);
                return MayUsePort(input, op.Size) && ExitWith(VmExit.IoIn(input, op.Size));
            case Op.Ins: return ExecuteIns(ref op);
            case Op.Int: return Trap((byte)op.Immediate, op.NextRip, Pending.Interrupt);
            case Op.Int3: return Trap(Breakpoint, op.NextRip, Pending.Interrupt);
            case Op.Int1: return Trap(DebugVector, op.NextRip);
            case Op.Fxsave: return ExecuteFxsave(ref op);
            case Op.Fxrstor: return ExecuteFxrstor(ref op);
            case Op.Xsave or Op.Xsaveopt or Op.Xsavec: return ExecuteXsave(ref op);
            case Op.Xrstor: return ExecuteXrstor(ref op);
            case Op.Xgetbv: return ExecuteXgetbv();
            case Op.Xsetbv: return ExecuteXsetbv();
            case Op.Wbinvd: return true;
            case Op.Rdpmc: return Fault(GeneralProtection, 0);
            case Op.Rdpid: _regs[op.DestinationRegister] = _tscAux; return true;
            case Op.Rdrand or Op.Rdseed: ExecuteRandom(ref op); return true;
            case Op.Stac or Op.Clac:
                if (_cpl != 0)
                {
                    return Fault(InvalidOpcode, 0);
                }

                _otherFlags = op.Op == Op.Stac ? _otherFlags | FlagAlignment : _otherFlags & ~FlagAlignment;
                return true;
            default: return Fault(InvalidOpcode, 0);
        }
    }

    /// <summary>POPF, and the part of IRET that is like it: which flags change depends on privilege.</summary>
    private void WriteFlagsAs(ulong flags, int size, ulong further)
    {
        ulong writable = ArithmeticFlags | FlagTrap | FlagDirection | FlagNestedTask | FlagAlignment | FlagIdentification | further;
        writable |= _cpl == 0 ? FlagIoPrivilege : 0;
        writable |= _cpl <= IoPrivilegeLevel ? FlagInterrupt : 0;
        writable &= size == 2 ? 0xFFFFUL : ulong.MaxValue;
        WriteFlags((flags & writable) | (ReadFlags() & ~writable));
    }

    private bool ExecutePopFlags(ref MicroOp op)
    {
        if (!Pop(out ulong value, op.Size))
        {
            return false;
        }

        WriteFlagsAs(value, op.Size, 0);
        _otherFlags &= ~FlagResume;
        return true;
    }

    /// <summary>An instruction that the host cannot complete, because it does not say what was read: RIP stays.</summary>
    private bool ExecuteIns(ref MicroOp op)
    {
        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        var port = (ushort)_regs[Rdx];
        return (op.Repeat != Repeat.None && (_regs[Rcx] & mask) == 0)
            || (MayUsePort(port, op.Size) && LoadForStore(_regs[Rdi] & mask, op.Size, out _)
                && ExitWith(VmExit.IoIn(port, op.Size)));
    }

    private void ExecuteRandom(ref MicroOp op)
    {
        WriteRegister(op.DestinationRegister, op.Size, _entropy.Next());
        WriteArithmeticFlags(FlagCarry);
    }

    private ushort Port(ref MicroOp op, OperandKind kind) =>
        (ushort)(kind == OperandKind.Immediate ? op.Immediate & 0xFF : _regs[Rdx]);

    private void WriteWide(ulong value)
    {
        _regs[Rax] = (uint)value;
        _regs[Rdx] = value >> 32;
    }

    /// <summary>Memory gets 16 bits, whatever the size of a register would be.</summary>
    private bool StoreWord(ref MicroOp op, ulong value) => op.Destination == OperandKind.Memory
        ? Store(Address(ref op), 2, value)
        : WriteDestination(ref op, value);

    private bool MoveFromControl(ref MicroOp op)
    {
        ulong? value = op.SourceRegister switch { 0 => _cr0, 2 => _cr2, 3 => _cr3, 4 => _cr4, 8 => _cr8, _ => null };
        if (value is null)
        {
            return Fault(InvalidOpcode, 0);
        }

        _regs[op.DestinationRegister] = value.Value;
        return true;
    }

    private bool MoveToControl(int register, ulong value)
    {
        switch (register)
        {
            case 0:
                // There is no mode but the 64-bit one; CD clear with NW set is invalid.
                if (value >> 32 != 0 || (value & Cr0Required) != Cr0Required || (value & 0x6000_0000) == 0x2000_0000)
                {
                    return Fault(GeneralProtection, 0);
                }

                _cr0 = (value & Cr0Bits) | 0x10;
                _tlb.FlushAll();
                return true;
            case 2:
                _cr2 = value;
                return true;
            case 3:
                if ((value & (_reservedAddressBits | 0xFFF0_0000_0000_0000)) != 0)
                {
                    return Fault(GeneralProtection, 0);
                }

                _cr3 = value;
                _tlb.FlushNonGlobal();
                return true;
            case 4:
                if ((value & ~Cr4Bits) != 0 || (value & Cr4PhysicalAddressExtension) == 0)
                {
                    return Fault(GeneralProtection, 0);
                }

                _cr4 = value;
                _tlb.FlushAll();
                return true;
            case 8:
                if (value > 15)
                {
                    return Fault(GeneralProtection, 0);
                }

                _cr8 = value;
                return true;
            default:
                return Fault(InvalidOpcode, 0);
        }
    }

    private void ExecuteCpuid()
    {
        (uint eax, uint ebx, uint ecx, uint edx) = Cpuid.Read(
            (uint)_regs[Rax], (uint)_regs[Rcx], physicalAddressBits, (_cr4 & Cr4OsXsave) != 0, seed is null);
        _regs[Rax] = eax;
        _regs[Rbx] = ebx;
        _regs[Rcx] = ecx;
        _regs[Rdx] = edx;
    }
}

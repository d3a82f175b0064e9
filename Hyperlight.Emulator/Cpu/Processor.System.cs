using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions for systems.</summary>
internal sealed partial class Processor
{
    private const ulong Cr0Bits = 0xE005_003F;

    /// <summary>TSD, DE, PSE, PAE, MCE, PGE, OSFXSR, OSXMMEXCPT, SMEP and SMAP.</summary>
    private const ulong Cr4Bits = 0x30_06FC;
    private const ulong Cr4PhysicalAddressExtension = 1 << 5;

    private bool ExecuteSystem(ref MicroOp op)
    {
        switch (op.Op)
        {
            case Op.Cli: _otherFlags &= ~FlagInterrupt; return true;
            case Op.Sti: _otherFlags |= FlagInterrupt; return true;
            case Op.Retf: return ExecuteFarReturn(ref op);
            case Op.Cpuid: ExecuteCpuid(); return true;
            case Op.Rdtsc or Op.Rdtscp:
                WriteWide(TimeStamp);
                if (op.Op == Op.Rdtscp)
                {
                    _regs[Rcx] = _tscAux;
                }

                return true;
            case Op.Rdmsr:
                if (!TryReadMsr((uint)_regs[Rcx], out ulong read))
                {
                    return Fault(GeneralProtection, 0);
                }

                WriteWide(read);
                return true;
            case Op.Wrmsr:
                return TryWriteMsr((uint)_regs[Rcx], (uint)_regs[Rax] | (_regs[Rdx] << 32)) || Fault(GeneralProtection, 0);
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
                op.Size = 2;
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
            case Op.Invlpg: _tlb.FlushPage(Address(ref op)); return true;
            case Op.Iretq: return ExecuteInterruptReturn();
            case Op.Hlt: return ExitBehind(VmExit.Halt);
            case Op.Out: return ExitBehind(VmExit.IoOut(Port(ref op, op.Destination), (uint)Truncate(_regs[Rax], op.Size), op.Size));
            case Op.In: return ExitWith(VmExit.IoIn(Port(ref op, op.Source), op.Size));
            case Op.Int: return Trap((byte)op.Immediate, op.NextRip);
            case Op.Int3: return Trap(Breakpoint, op.NextRip);
            case Op.Int1: return Trap(DebugVector, op.NextRip);
            case Op.Fxsave: return ExecuteFxsave(ref op);
            case Op.Fxrstor: return ExecuteFxrstor(ref op);
            case Op.Swapgs:
                ulong swapped = _gs.Base;
                _gs.Base = _kernelGsBase;
                _kernelGsBase = swapped;
                return true;
            default: return Fault(InvalidOpcode, 0);
        }
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

    private bool MoveFromDebug(ref MicroOp op)
    {
        _regs[op.DestinationRegister] = op.SourceRegister switch
        {
            0 => _dr0,
            1 => _dr1,
            2 => _dr2,
            3 => _dr3,
            4 or 6 => _dr6,
            _ => _dr7,
        };
        return true;
    }

    private bool MoveToDebug(int register, ulong value)
    {
        if (register >= 4 && value >> 32 != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        switch (register)
        {
            case 0: _dr0 = value; break;
            case 1: _dr1 = value; break;
            case 2: _dr2 = value; break;
            case 3: _dr3 = value; break;
            case 4 or 6: _dr6 = (value & 0xE00F) | 0xFFFF_0FF0; break;
            default: _dr7 = (value & 0xFFFF_2BFF) | 0x400; break;
        }

        return true;
    }

    private void ExecuteCpuid()
    {
        (uint eax, uint ebx, uint ecx, uint edx) = Cpuid.Read((uint)_regs[Rax], physicalAddressBits);
        _regs[Rax] = eax;
        _regs[Rbx] = ebx;
        _regs[Rcx] = ecx;
        _regs[Rdx] = edx;
    }
}

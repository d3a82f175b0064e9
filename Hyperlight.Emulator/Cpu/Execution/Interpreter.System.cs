using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions for systems: chooses their handlers.</summary>
internal sealed unsafe partial class Interpreter
{
    /// <summary>Whether an instruction is for CPL 0 alone.</summary>
    private static bool IsPrivileged(Op op) => op is Op.Hlt or Op.Lgdt or Op.Lidt or Op.Lldt or Op.Ltr or Op.Lmsw or Op.Clts
        or Op.MovFromControl or Op.MovToControl or Op.MovFromDebug or Op.MovToDebug or Op.Invlpg or Op.Wbinvd
        or Op.Rdmsr or Op.Wrmsr or Op.Swapgs;

    /// <summary>Whether UMIP hides from user mode what an instruction stores.</summary>
    private static bool IsHiddenByUmip(Op op) => op is Op.Sgdt or Op.Sidt or Op.Sldt or Op.Str or Op.Smsw;

    private bool ExecuteSystem(ref MicroOp op)
    {
        if (state->Segments.Cpl != 0 && (IsPrivileged(op.Op)
            || (IsHiddenByUmip(op.Op) && (state->Control.Cr4 & Cr4UserModeInstructionPrevention) != 0)))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        switch (op.Op)
        {
            case Op.Cli or Op.Sti:
                if (!privilege.HasIoPrivilege)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                if (op.Op == Op.Sti && !interrupts.InterruptsAreOn)
                {
                    interrupts.CastShadow();
                }

                state->Results.Other = op.Op == Op.Cli ? state->Results.Other & ~FlagInterrupt : state->Results.Other | FlagInterrupt;
                return true;
            case Op.Retf: return groups.FarTransfers.Return(ref op);
            case Op.Cpuid: groups.Identification.Identify(); return true;
            case Op.Rdtsc or Op.Rdtscp:
                if (state->Segments.Cpl != 0 && (state->Control.Cr4 & Cr4TimeStampDisable) != 0)
                {
                    return pending.Fault(GeneralProtection, 0);
                }

                operands.WriteWide(clock.TimeStamp);
                if (op.Op == Op.Rdtscp)
                {
                    registers[Rcx] = state->Msrs.TscAux;
                }

                return true;
            case Op.Rdmsr: return groups.Msrs.Read();
            case Op.Wrmsr: return groups.Msrs.Write();
            case Op.Lgdt: return groups.Descriptors.LoadTable(ref op, ref state->Segments.Gdtr);
            case Op.Lidt: return groups.Descriptors.LoadTable(ref op, ref state->Segments.Idtr);
            case Op.Sgdt: return groups.Descriptors.StoreTable(ref op, state->Segments.Gdtr);
            case Op.Sidt: return groups.Descriptors.StoreTable(ref op, state->Segments.Idtr);
            case Op.Lldt: return groups.Descriptors.LoadSystemSegment(ref op, isTask: false);
            case Op.Ltr: return groups.Descriptors.LoadSystemSegment(ref op, isTask: true);
            case Op.Sldt: return operands.StoreWord(ref op, state->Segments.Ldtr.Selector);
            case Op.Str: return operands.StoreWord(ref op, state->Segments.Tr.Selector);
            case Op.Smsw: return operands.StoreWord(ref op, state->Control.Cr0);
            case Op.Lmsw:
                if (!operands.ReadDestination(ref op, out ulong word))
                {
                    return false;
                }

                state->Control.Cr0 = (state->Control.Cr0 & ~0xEUL) | (word & 0xF);
                return true;
            case Op.Clts: state->Control.Cr0 &= ~8UL; return true;
            case Op.MovFromControl: return groups.Control.Read(ref op);
            case Op.MovToControl: return groups.Control.Write(op.DestinationRegister, registers[op.SourceRegister]);
            case Op.MovFromDebug: return groups.Debug.Read(ref op);
            case Op.MovToDebug: return groups.Debug.Write(op.DestinationRegister, registers[op.SourceRegister]);
            case Op.MovFromSegment: return groups.Segments.MoveFrom(ref op);
            case Op.MovToSegment: return groups.Segments.MoveTo(ref op);
            case Op.Invlpg: places.Forget(operands.Address(ref op)); return true;
            case Op.Iretq: return groups.FarTransfers.InterruptReturn(ref op);
            case Op.JmpFar or Op.CallFar: return groups.FarTransfers.Jump(ref op);
            case Op.Syscall: return groups.SystemCalls.Call(ref op);
            case Op.Sysret: return groups.SystemCalls.Return(ref op);
            case Op.Swapgs: groups.SystemCalls.SwapGs(); return true;
            case >= Op.Rdfsbase and <= Op.Wrgsbase: return groups.SystemCalls.AccessBase(ref op);
            case Op.Lss or Op.Lfs or Op.Lgs: return groups.Segments.LoadFarPointer(ref op);
            case Op.PushSegment: return memory.Push(segments.Of(op.DestinationRegister).Selector, op.Size);
            case Op.PopSegment: return groups.Segments.Pop(ref op);
            case >= Op.Lar and <= Op.Verw: return groups.Descriptors.Query(ref op);
            case Op.Hlt: return pending.ExitBehind(VmExit.Halt);
            case Op.Out: return groups.Ports.Out(ref op);
            case Op.In: return groups.Ports.In(ref op);
            case Op.Ins: return groups.Ports.Ins(ref op);
            case Op.Int: return pending.Trap((byte)op.Immediate, op.NextRip, PendingKind.Interrupt);
            case Op.Int3: return pending.Trap(Breakpoint, op.NextRip, PendingKind.Interrupt);
            case Op.Int1: return pending.Trap(DebugVector, op.NextRip);
            case Op.Fxsave: return groups.FloatingPoint.Fxsave.Save(ref op);
            case Op.Fxrstor: return groups.FloatingPoint.Fxsave.Restore(ref op);
            case Op.Xsave or Op.Xsaveopt or Op.Xsavec: return groups.FloatingPoint.Xsave.Save(ref op);
            case Op.Xrstor: return groups.FloatingPoint.Xsave.Restore(ref op);
            case Op.Xgetbv: return groups.FloatingPoint.Xsave.GetControl();
            case Op.Xsetbv: return groups.FloatingPoint.Xsave.SetControl();
            case Op.Wbinvd: return true;
            case Op.Rdpmc: return pending.Fault(GeneralProtection, 0);
            case Op.Rdpid: registers[op.DestinationRegister] = state->Msrs.TscAux; return true;
            case Op.Rdrand or Op.Rdseed: groups.Identification.Draw(ref op); return true;
            case Op.Stac or Op.Clac:
                if (state->Segments.Cpl != 0)
                {
                    return pending.Fault(InvalidOpcode, 0);
                }

                state->Results.Other = op.Op == Op.Stac ? state->Results.Other | FlagAlignment : state->Results.Other & ~FlagAlignment;
                return true;
            default: return pending.Fault(InvalidOpcode, 0);
        }
    }
}

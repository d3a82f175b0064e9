using Hyperlight.Abstractions;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Registers as the host reads and writes them.</summary>
internal readonly unsafe struct RegisterAccess(ProcessorState* state, Tlb tlb)
{
    public GeneralRegisters GetGeneral()
    {
        var registers = new RegisterFile(state);
        return new()
        {
            Rax = registers[Rax],
            Rbx = registers[Rbx],
            Rcx = registers[Rcx],
            Rdx = registers[Rdx],
            Rsi = registers[Rsi],
            Rdi = registers[Rdi],
            Rsp = registers[Rsp],
            Rbp = registers[Rbp],
            R8 = registers[8],
            R9 = registers[9],
            R10 = registers[10],
            R11 = registers[11],
            R12 = registers[12],
            R13 = registers[13],
            R14 = registers[14],
            R15 = registers[15],
            Rip = state->Rip,
            Rflags = new Flags(state).Read(),
        };
    }

    public void SetGeneral(in GeneralRegisters value)
    {
        var registers = new RegisterFile(state);
        registers[Rax] = value.Rax;
        registers[Rbx] = value.Rbx;
        registers[Rcx] = value.Rcx;
        registers[Rdx] = value.Rdx;
        registers[Rsi] = value.Rsi;
        registers[Rdi] = value.Rdi;
        registers[Rsp] = value.Rsp;
        registers[Rbp] = value.Rbp;
        registers[8] = value.R8;
        registers[9] = value.R9;
        registers[10] = value.R10;
        registers[11] = value.R11;
        registers[12] = value.R12;
        registers[13] = value.R13;
        registers[14] = value.R14;
        registers[15] = value.R15;
        state->Rip = value.Rip;
        (state->Debug.HeldStatus, state->Debug.IsStatusDue, state->Debug.IsShadowed) = (0, false, false);
        state->Interrupts.Shadowed = InterruptState.NoShadow;
        new Flags(state).Write(value.Rflags);
    }

    public SpecialRegisters GetSpecial() => new()
    {
        Cs = state->Segments.Cs,
        Ds = state->Segments.Ds,
        Es = state->Segments.Es,
        Fs = state->Segments.Fs,
        Gs = state->Segments.Gs,
        Ss = state->Segments.Ss,
        Tr = state->Segments.Tr,
        Ldtr = state->Segments.Ldtr,
        Gdtr = state->Segments.Gdtr,
        Idtr = state->Segments.Idtr,
        Cr0 = state->Control.Cr0,
        Cr2 = state->Control.Cr2,
        Cr3 = state->Control.Cr3,
        Cr4 = state->Control.Cr4,
        Cr8 = state->Control.Cr8,
        Efer = state->Control.Efer,
        ApicBase = state->Msrs.ApicBase,
    };

    public void SetSpecial(in SpecialRegisters value)
    {
        ref SegmentState segments = ref state->Segments;
        (segments.Cs, segments.Ds, segments.Es) = (value.Cs, value.Ds, value.Es);
        (segments.Fs, segments.Gs, segments.Ss) = (value.Fs, value.Gs, value.Ss);
        (segments.Tr, segments.Ldtr, segments.Gdtr, segments.Idtr) = (value.Tr, value.Ldtr, value.Gdtr, value.Idtr);
        ref ControlState control = ref state->Control;
        (control.Cr0, control.Cr2, control.Cr3, control.Cr4, control.Cr8) = (value.Cr0, value.Cr2, value.Cr3, value.Cr4, value.Cr8);
        (control.Efer, state->Msrs.ApicBase) = (value.Efer, value.ApicBase);
        new PrivilegeLevel(state, tlb).Set(value.Ss.PrivilegeLevel);
        tlb.FlushAll();
    }

    public DebugRegisters GetDebug()
    {
        ref DebugState debug = ref state->Debug;
        return new() { Dr0 = debug.Dr0, Dr1 = debug.Dr1, Dr2 = debug.Dr2, Dr3 = debug.Dr3, Dr6 = debug.Dr6, Dr7 = debug.Dr7 };
    }

    public void SetDebug(in DebugRegisters value)
    {
        ref DebugState debug = ref state->Debug;
        (debug.Dr0, debug.Dr1, debug.Dr2, debug.Dr3, debug.Dr6) = (value.Dr0, value.Dr1, value.Dr2, value.Dr3, value.Dr6);
        new Breakpoints(state, tlb).SetControl(value.Dr7);
    }

    /// <summary>Whether the registers put the processor into 64-bit mode, the only one it has.</summary>
    public bool IsInLongMode =>
        (state->Control.Cr0 & Cr0Required) == Cr0Required && (state->Control.Efer & EferLongModeActive) != 0 && state->Segments.Cs.IsLong;

    /// <summary>The components of XSAVE that the guest has enabled.</summary>
    public ulong GetXcr0() => state->Control.Xcr0;

    /// <inheritdoc cref="XsaveComponents.TrySet"/>
    public bool TrySetXcr0(ulong value) => XsaveComponents.TrySet(ref state->Control.Xcr0, value);
}

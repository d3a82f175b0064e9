using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The current privilege level, and the rights with which memory is accessed.</summary>
internal sealed unsafe class PrivilegeLevel(ProcessorState* state, Tlb tlb, PendingEvent pending)
{
    public int IoLevel => (int)(state->Results.Other >> 12) & 3;

    public void UseRightsOf(int level)
    {
        bool isUser = level == 3;
        if (isUser != state->Segments.IsUser)
        {
            state->Segments.IsUser = isUser;
            tlb.Select(isUser);
        }
    }

    /// <summary>Changes the CPL, and what memory it can access.</summary>
    public void Set(int level)
    {
        state->Segments.Cpl = level;
        UseRightsOf(level);
    }

    /// <summary>CLI and STI need as much privilege as IOPL says.</summary>
    public bool HasIoPrivilege() => state->Segments.Cpl <= IoLevel || pending.Fault(GeneralProtection, 0);
}

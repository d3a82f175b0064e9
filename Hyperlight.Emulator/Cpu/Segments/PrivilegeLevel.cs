using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The current privilege level, and the rights with which memory is accessed.</summary>
internal readonly unsafe struct PrivilegeLevel(ProcessorState* state, Tlb tlb)
{
    /// <summary>IOPL.</summary>
    public int IoLevel => (int)(state->Results.Other >> 12) & 3;

    /// <summary>Whether CLI, STI and all ports are permitted.</summary>
    public bool HasIoPrivilege => state->Segments.Cpl <= IoLevel;

    /// <summary>Changes the rights with which memory is accessed, and not the CPL.</summary>
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
}

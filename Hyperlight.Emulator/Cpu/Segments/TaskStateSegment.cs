using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the task state segment says: stack pointers of inner levels, and which ports are open.</summary>
internal sealed unsafe class TaskStateSegment(ProcessorState* state, PendingEvent pending, PrivilegeLevel privilege, LinearMemory memory)
{
    /// <summary>Where a task state segment says where its I/O permission bitmap begins.</summary>
    private const int IoMapBaseOffset = 0x66;

    /// <summary>Whether the ports of an access are open: by IOPL, or by the bitmap of the task.</summary>
    public bool MayUsePort(ushort port, int size)
    {
        if (privilege.HasIoPrivilege)
        {
            return true;
        }

        if (state->Segments.Tr.Limit < IoMapBaseOffset + 1)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        if (!memory.LoadSystem(state->Segments.Tr.Base + IoMapBaseOffset, 2, out ulong mapBase))
        {
            return false;
        }

        // Two bytes are read always, so that an access may cross from one into the next.
        ulong offset = mapBase + (ulong)(port / 8);
        if (offset + 1 > state->Segments.Tr.Limit)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        if (!memory.LoadSystem(state->Segments.Tr.Base + offset, 2, out ulong bits))
        {
            return false;
        }

        return ((bits >> (port % 8)) & ((1UL << size) - 1)) == 0 || pending.Fault(GeneralProtection, 0);
    }

    /// <summary>Reads a stack pointer of the task state segment.</summary>
    public bool LoadStackPointer(int offset, out ulong stack)
    {
        stack = 0;
        return (uint)offset + 7 > state->Segments.Tr.Limit
            ? pending.SelectorFault(InvalidTss, state->Segments.Tr.Selector)
            : memory.LoadSystem(state->Segments.Tr.Base + (ulong)offset, 8, out stack)
                && (LinearAddress.IsCanonical(stack) || pending.Fault(StackFaultVector, 0));
    }
}

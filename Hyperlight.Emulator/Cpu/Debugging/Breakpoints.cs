using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.DebugBits;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The breakpoints of the debug registers.</summary>
internal readonly unsafe struct Breakpoints(ProcessorState* state, Tlb tlb)
{
    private const int OnExecution = 0;
    private const int OnWrite = 1;
    private const int OnAccess = 3;

    /// <summary>
    /// Whether instructions have to be interpreted one by one: a step or a breakpoint may come after each. It changes only
    /// with instructions that end a block, and from outside.
    /// </summary>
    public bool MustInterpret => (state->Results.Other & FlagTrap) != 0 || (state->Debug.Dr7 & Dr7Enables) != 0 || state->Debug.HeldStatus != 0;

    public ulong AddressOf(int index) => index switch { 0 => state->Debug.Dr0, 1 => state->Debug.Dr1, 2 => state->Debug.Dr2, _ => state->Debug.Dr3 };

    private bool IsArmed(int index) => (state->Debug.Dr7 >> (2 * index) & 3) != 0;

    private int KindOf(int index) => (int)(state->Debug.Dr7 >> (16 + (4 * index))) & 3;

    private int LengthOf(int index) => ((int)(state->Debug.Dr7 >> (18 + (4 * index))) & 3) switch { 0 => 1, 1 => 2, 2 => 8, _ => 4 };

    /// <summary>Breakpoints on the instruction at RIP. Those of another length than one are not defined, and not met.</summary>
    public ulong FindExecutionHits()
    {
        ulong hits = 0;
        for (int i = 0; i < 4; i++)
        {
            if (IsArmed(i) && KindOf(i) == OnExecution && LengthOf(i) == 1 && AddressOf(i) == state->Rip)
            {
                hits |= 1UL << i;
            }
        }

        return hits;
    }

    /// <summary>Notes which data breakpoints an access meets.</summary>
    public void NoteWatched(ulong address, int size, bool isWrite)
    {
        if (state->Segments.IsImplicit)
        {
            return;
        }

        for (int i = 0; i < 4; i++)
        {
            bool isWatched = KindOf(i) is OnAccess || (isWrite && KindOf(i) == OnWrite);
            ulong length = (ulong)LengthOf(i);
            ulong start = AddressOf(i) & ~(length - 1);
            if (isWatched && IsArmed(i) && start < address + (ulong)size && address < start + length)
            {
                state->Debug.WatchHits |= 1UL << i;
            }
        }
    }

    public void SetControl(ulong value)
    {
        state->Debug.Dr7 = value;
        bool isWatching = false;
        for (int i = 0; i < 4; i++)
        {
            isWatching |= IsArmed(i) && KindOf(i) is OnWrite or OnAccess;
        }

        if (isWatching != state->Debug.IsWatching)
        {
            state->Debug.IsWatching = isWatching;
            tlb.FlushAll();
        }
    }
}

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access by the processor itself.</summary>
internal sealed unsafe partial class LinearMemory
{
    /// <summary>Loads from a descriptor table or the task state segment: with a supervisor's rights at any CPL.</summary>
    public bool LoadSystem(ulong address, int size, out ulong value)
    {
        privilege.UseRightsOf(0);
        state->Segments.IsImplicit = true;
        try
        {
            return Load(address, size, out value);
        }
        finally
        {
            state->Segments.IsImplicit = false;
            privilege.UseRightsOf(state->Segments.Cpl);
        }
    }

    public bool StoreSystem(ulong address, int size, ulong value)
    {
        privilege.UseRightsOf(0);
        state->Segments.IsImplicit = true;
        try
        {
            return Store(address, size, value);
        }
        finally
        {
            state->Segments.IsImplicit = false;
            privilege.UseRightsOf(state->Segments.Cpl);
        }
    }
}

using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Told of writes that no translation allows.</summary>
internal sealed unsafe class WriteObserver(ProcessorState* state, BlockCache blocks, PhysicalMemory physicalMemory)
{
    /// <summary>
    /// Before a write that no translation allows: the page counts as written, and instructions that the write changes are
    /// forgotten. The running block may be among them.
    /// </summary>
    public void Note(HostPage page, ulong physical, int size)
    {
        physicalMemory.NoteWrite(physical);
        if (blocks.Invalidate(page, physical, size))
        {
            state->BlockEnd = 0;
        }
    }
}

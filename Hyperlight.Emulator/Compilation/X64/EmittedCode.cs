using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Machine code of a region.</summary>
internal sealed class EmittedCode(CodeChunk chunk, nint address, int[] entries, MicroOp[] ops) : RegionCode
{
    /// <summary>A function of the state and where to begin.</summary>
    public nint Address => address;

    /// <summary>The instructions that it may ask the interpreter to execute.</summary>
    public MicroOp[] Ops => ops;

    /// <summary>Where the code of a block begins.</summary>
    public nint EntryOf(int block) => address + entries[block];

    public override RegionExit Run(Processor processor, int entry)
    {
        RegionExit exit = processor.RunEmitted(this, entry);
        GC.KeepAlive(chunk);
        return exit;
    }
}

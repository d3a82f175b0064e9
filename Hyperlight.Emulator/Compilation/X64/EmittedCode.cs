using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Machine code of a region.</summary>
internal sealed class EmittedCode(CodeChunk chunk, nint address, int[] entries, MicroOp[] ops, bool usesVectors, bool usesFloats) : RegionCode
{
    /// <summary>A function of the state and where to begin.</summary>
    public nint Address => address;

    /// <summary>Whether it uses vectors, which the guest can forbid.</summary>
    public bool UsesVectors => usesVectors;

    /// <summary>Whether it computes with floating-point numbers: not for a guest that wants exceptions.</summary>
    public bool UsesFloats => usesFloats;

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

using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Machine code of a region.</summary>
internal sealed class EmittedCode(
    CodeChunk chunk, nint address, long id, EmittedLayout layout, EmittedOp[] ops, bool usesVectors, bool usesFloats) : RegionCode
{
    /// <summary>What it calls itself when it calls the interpreter.</summary>
    public long Id => id;

    /// <summary>A function of the state and where to begin.</summary>
    public nint Address => address;

    /// <summary>Whether it uses vectors, which the guest can forbid.</summary>
    public bool UsesVectors => usesVectors;

    /// <summary>Whether it computes with floating-point numbers: not for a guest that wants exceptions.</summary>
    public bool UsesFloats => usesFloats;

    public override bool IsFor(bool isUser) => layout.IsUser == isUser;

    public override bool HasLinks(bool isUser) => IsFor(isUser);

    /// <summary>The instructions that it may ask the interpreter to execute.</summary>
    public EmittedOp[] Ops => ops;

    /// <summary>Where the code of a block begins.</summary>
    public nint EntryOf(int block) => address + layout.Blocks[block];

    /// <summary>Where code of another region enters it.</summary>
    public nint LinkedEntry => address + layout.LinkedEntry;

    public override RegionExit Run(Processor processor, Region region, int entry)
    {
        RegionExit exit = processor.RunEmitted(this, region, entry);
        GC.KeepAlive(chunk);
        return exit;
    }
}

using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Machine code of a region.</summary>
/// <param name="chunk">What keeps it in memory.</param>
/// <param name="address">Where it is.</param>
/// <param name="size">Its length in bytes.</param>
/// <param name="layout">Where it is entered.</param>
/// <param name="ops">The instructions that it may ask the interpreter to execute.</param>
/// <param name="usesVectors">Whether it uses vectors.</param>
/// <param name="usesFloats">Whether it computes with floating-point numbers.</param>
internal sealed class EmittedCode(
    CodeChunk chunk, nint address, int size, EmittedLayout layout, EmittedOp[] ops, bool usesVectors, bool usesFloats)
    : RegionCode(SizeOf(size, layout, ops))
{
    /// <summary>Its objects, and those of the region.</summary>
    private const int FixedSize = 512;

    /// <summary>The places of a block in the region, in its lists and in the key by which machines share it.</summary>
    private const int SizePerBlock = 160;

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

    public override RegionExit Run(RegionRunner runner, Region region, int entry)
    {
        RegionExit exit = runner.Emitted.Run(this, region, entry);
        GC.KeepAlive(chunk);
        return exit;
    }

    private static int SizeOf(int code, EmittedLayout layout, EmittedOp[] ops) =>
        FixedSize + (layout.Blocks.Length * SizePerBlock) + code + (ops.Length * Unsafe.SizeOf<EmittedOp>());
}

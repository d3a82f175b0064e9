using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>An instruction that emitted code may ask the interpreter to execute.</summary>
/// <param name="op">The instruction.</param>
/// <param name="behind">How many instructions of its trace follow it: they were counted already.</param>
internal struct EmittedOp(MicroOp op, int behind)
{
    public MicroOp Op = op;

    public readonly int Behind => behind;
}

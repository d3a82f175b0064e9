using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>An instruction that emitted code may ask the interpreter to execute.</summary>
/// <param name="ops">The instructions of its block.</param>
/// <param name="index">Which one of them it is.</param>
/// <param name="behind">How many instructions of its trace follow it: they were counted already.</param>
/// <param name="following">How many of those that follow it are executed with it, as one translation was to serve all of them.</param>
internal readonly struct EmittedOp(MicroOp[] ops, int index, int behind, int following)
{
    public ref MicroOp Op => ref ops[index];

    public int Behind => behind;

    public int Following => following;
}

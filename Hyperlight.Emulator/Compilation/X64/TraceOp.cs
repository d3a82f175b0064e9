using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>An instruction of a trace.</summary>
/// <param name="Node">Its block.</param>
/// <param name="Ops">The instructions of the block.</param>
/// <param name="Index">Which of them it is.</param>
internal readonly record struct TraceOp(RegionNode Node, MicroOp[] Ops, int Index)
{
    public ref MicroOp Op => ref Ops[Index];

    public ReadOnlySpan<byte> Bytes => Node.Block.BytesOf(in Op);
}

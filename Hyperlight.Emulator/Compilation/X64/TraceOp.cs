using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>An instruction of a trace.</summary>
/// <param name="Node">Its block.</param>
/// <param name="Index">Which of its block it is.</param>
internal readonly record struct TraceOp(RegionNode Node, int Index)
{
    public ref MicroOp Op => ref Node.Ops[Index];

    public ReadOnlySpan<byte> Bytes => Node.Block.BytesOf(in Op);
}

using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// What is needed while a block is decoded. A thread has one, and not each machine, which would be larger by 6 KB. It keeps
/// nothing: whatever is read of it was written for the same block.
/// </summary>
internal sealed class DecodingBuffers
{
    /// <summary>The most instructions of a block.</summary>
    public const int LongestBlock = 64;

    [ThreadStatic]
    private static DecodingBuffers? _ofThread;

    private DecodingBuffers() => Decoder = Decoder.Create(64, Code);

    /// <summary>Those of the calling thread.</summary>
    public static DecodingBuffers OfThread => _ofThread ??= new DecodingBuffers();

    /// <summary>The bytes to decode.</summary>
    public CodeBuffer Code { get; } = new();

    /// <summary>Decodes them.</summary>
    public Decoder Decoder { get; }

    /// <summary>What was decoded.</summary>
    public MicroOp[] Ops { get; } = new MicroOp[LongestBlock];
}

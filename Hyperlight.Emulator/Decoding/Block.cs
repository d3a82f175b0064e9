namespace Hyperlight.Emulator.Decoding;

/// <summary>Instructions that follow each other in one page, up to the first that may go elsewhere.</summary>
internal sealed class Block(ulong key, ulong rip, byte[] bytes, MicroOp[] ops)
{
    /// <summary>Host address of the first byte: tells blocks of aliased pages apart from others, but not from each other.</summary>
    public ulong Key { get; } = key;

    /// <summary>Linear address of the first instruction.</summary>
    public ulong Rip { get; } = rip;

    /// <summary>What was decoded, to find out whether the host changed it since.</summary>
    public byte[] Bytes { get; } = bytes;

    public MicroOp[] Ops { get; } = ops;

    /// <summary>The run in which the bytes were last seen unchanged.</summary>
    public long VerifiedInRun { get; set; }
}

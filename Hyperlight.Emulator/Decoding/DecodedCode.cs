using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Decoding;

/// <summary>The bytes of a block and the instructions that they are at an address. They never change, so machines share them.</summary>
internal sealed class DecodedCode(ulong rip, byte[] bytes, MicroOp[] ops)
{
    /// <summary>Its object, and those of its arrays.</summary>
    private const int FixedSize = 96;

    /// <summary>Linear address of the first instruction.</summary>
    public ulong Rip { get; } = rip;

    public byte[] Bytes { get; } = bytes;

    public MicroOp[] Ops { get; } = ops;

    /// <summary>Whether its code is to predict the pages of operands, as code that runs long does. What one machine finds holds for all.</summary>
    public bool Predicts { get; set; }

    /// <summary>About how many bytes of the host's memory it takes.</summary>
    public int MemorySize => FixedSize + Bytes.Length + (Ops.Length * Unsafe.SizeOf<MicroOp>());
}
